// Words that the page has of its own. Cards come in the language that was chosen; the page itself is in English.
import type { Holds, Indicator } from "./types";

export const INDICATORS: Record<Indicator, { word: string; sign: string; rank: number }> = {
  critical: { word: "Critical", sign: "⛔", rank: 0 },
  warning: { word: "Warning", sign: "⚠", rank: 1 },
  info: { word: "Info", sign: "ℹ", rank: 2 },
};

export const HOLDS: Record<Holds, { word: string; sign: string; kind: string }> = {
  true: { word: "holds", sign: "✓", kind: "good" },
  unknown: { word: "cannot be told", sign: "?", kind: "warning" },
  false: { word: "does not hold", sign: "✗", kind: "neutral" },
};

export const LANGUAGES: Record<string, string> = { en: "English", sv: "Svenska", da: "Dansk", zh: "中文" };

export const PROFILES: Record<string, string> = {
  intl: "International (MSD Manual)",
  se: "Sweden (Region Uppsala)",
  dk: "Denmark (MSD Manual, Danish additions)",
  cn: "China (guideline for the elderly 2023)",
};

export const HOOKS: Record<string, string> = {
  "patient-view": "The chart is opened",
  "encounter-start": "A visit starts",
  "encounter-discharge": "The patient is discharged",
  "order-select": "An order is selected",
  "order-sign": "Orders are signed",
  "medication-refill": "A prescription is renewed",
  "problem-list-item-create": "A problem is entered",
  "allergyintolerance-create": "An intolerance is entered",
};

export const STATUS: Record<string, string> = {
  current: "current",
  past: "past",
  planned: "planned",
  on_hold: "on hold",
  unknown: "current use uncertain",
  unclear: "drug not clear",
};

export const ROLES: Record<string, string> = { lead: "leads", fill: "fills in", safety: "safety" };

/** "1 card", "2 cards". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
