// What the service answers, as far as the page shows it (docs/contract.md, sections 3 and 4).

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

export interface Options {
  version: string;
  today: string;
  trust: "loopback" | "required" | "off";
  default: { profile: string; language: string };
  profiles: string[];
  languages: string[];
  services: { id: string; hook: string; title: string }[];
  samples: { name: string; title: string }[];
  maxBodyBytes: number;
}

export interface HookRequest extends JsonObject {
  hook: string;
  hookInstance: string;
  context: JsonObject;
}

export interface Coding {
  code: string;
  system: string;
  display?: string;
}

export interface Action {
  type: "create" | "update" | "delete";
  description: string;
  resource?: JsonObject;
  resourceId?: string;
}

export interface Suggestion {
  label: string;
  uuid: string;
  isRecommended?: boolean;
  actions?: Action[];
}

export type Indicator = "critical" | "warning" | "info";

export interface CardExplanation {
  advice?: string;
  profile: string;
  recommendations?: { id: string; source: string; strength: string; role: string; grade?: string }[];
}

export interface Card {
  uuid: string;
  summary: string;
  detail?: string;
  indicator: Indicator;
  source: { label: string; url?: string; topic?: Coding };
  suggestions?: Suggestion[];
  overrideReasons?: Coding[];
  links?: { label: string; url: string; type: string }[];
  extension?: { "osteon.explanation"?: CardExplanation };
}

export interface Time {
  date?: string;
  first?: string;
  last?: string;
}

export interface Density extends Time {
  kind: "t_score" | "z_score" | "bmd" | "qct";
  site: string;
  side?: string;
  name: string;
  value: number;
  comparator?: string;
  unit: string;
  readFromText?: boolean;
  preliminary?: boolean;
  siteContradictory?: boolean;
  resource: string;
}

export interface Fracture extends Time {
  site: string;
  name: string;
  where?: string;
  energy: string;
  suspected?: boolean;
  pathological?: boolean;
  atypicalFemoral?: boolean;
  resources: string[];
}

export interface Course {
  name: string;
  recordedAs: string;
  status: "current" | "past" | "planned" | "on_hold" | "unknown" | "unclear";
  forBone?: boolean;
  started?: Time;
  ended?: Time;
  given?: string[];
  route?: string;
  dose?: {
    dailyMg?: number;
    singleMg?: number;
    intervalDays?: number;
    leastMg?: number;
    mostMg?: number;
    asNeeded?: boolean;
    unknownBecause?: string;
  };
  periods?: { first?: string; last?: string; leastMg?: number; mostMg?: number; unknownBecause?: string }[];
  stopReason?: string;
  resources: string[];
}

export interface Laboratory extends Time {
  kind: "creatinine_clearance" | "egfr" | "creatinine";
  name: string;
  value?: number;
  comparator?: string;
  unit?: string;
  preliminary?: boolean;
  resource: string;
}

export interface Timeline {
  today: string;
  patient: { sex?: string; birthDate?: string; age?: number; deceased?: boolean };
  densities?: Density[];
  fractures?: Fracture[];
  courses?: Course[];
  kidney?: Laboratory[];
}

export type Holds = "true" | "false" | "unknown";

export interface Tree {
  kind: "all" | "any" | "not" | "named" | "constant" | "criterion";
  holds: Holds;
  decides?: boolean;
  parts?: Tree[];
  name?: string;
  text?: string;
  facts?: number[];
  why?: string[];
  missing?: string[];
  written?: string;
  limitOfThisHospital?: boolean;
  unknownMeans?: string;
}

export interface Considered {
  id: string;
  source: string;
  sourceName: string;
  url?: string;
  role: string;
  strength: string;
  grade?: string;
  statement?: string;
  advice?: string;
  holds: Holds;
  cards?: string[];
  when: Tree;
  unless?: Tree[];
  missing?: string[];
}

export interface Limit {
  feature: string;
  comparison: string;
  sign: string;
  limit: number;
  unit: string;
  recommendations: string[];
}

export interface Fact {
  line: string;
  feature: string;
  resource?: string;
}

export interface Explanation {
  profile: string;
  knowledge?: string;
  notUsed?: { resource?: string; reason: string; count?: number }[];
  missing?: string[];
  leftOut?: string[];
  timeline?: Timeline;
  considered?: Considered[];
  criteria?: Record<string, Tree & { meaning: string }>;
  facts?: Fact[];
  limits?: Limit[];
  notUnderstood?: {
    values?: { resource: string; reason: string; shown: string }[];
    codes?: { kind: string; system: string; count: number }[];
  };
}

export interface Answer {
  cards: Card[];
  extension?: { "osteon.explanation"?: Explanation };
}

/** Something that is wrong with what was pasted or asked: the reason, and where it is known the place. */
export interface Problem {
  title: string;
  reason: string;
  line?: number;
  column?: number;
  excerpt?: string;
  hint?: string;
}
