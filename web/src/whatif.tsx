// "What if": the same patient with a value changed, and which cards move. The changed request is made here, in the
// browser; the service answers it like any other.
import { useId } from "preact/hooks";
import type { Answer, Card, HookRequest, JsonObject, Timeline } from "./types";
import codes from "./whatif-codes.json";
import { INDICATORS } from "./words";

export interface Changes {
  age?: number;
  tScore?: number;
  site: string;
  kidney?: number;
  measure: string;
  drug: string;
  since: number;
  stopped: string;
  fracture: string;
}

export const NONE: Changes = { site: "lumbar_spine", measure: "egfr", drug: "", since: 0, stopped: "", fracture: "" };

export function isChanged(changes: Changes): boolean {
  return (
    changes.age !== undefined ||
    changes.tScore !== undefined ||
    changes.kidney !== undefined ||
    Boolean(changes.drug || changes.stopped || changes.fracture)
  );
}

const KEY = "whatIf";
/** A prefetch key of its own: other keys also say which lists came whole, and that must stay as it was. */

/** The request with the changes in it. */
export function changed(request: HookRequest, changes: Changes, timeline: Timeline): HookRequest {
  const made = structuredClone(request);
  const prefetch = (made.prefetch ??= {}) as JsonObject;
  const patient = prefetch.patient as JsonObject | undefined;
  const id = String(made.context.patientId);
  const today = timeline.today;
  const subject = { reference: `Patient/${id}` };
  const more: JsonObject[] = [];
  if (changes.age !== undefined && patient) {
    const born = new Date(`${today}T00:00:00Z`);
    born.setUTCFullYear(born.getUTCFullYear() - changes.age);
    patient.birthDate = day(born);
  }
  const site = codes.sites.find((one) => one.site === changes.site);
  if (changes.tScore !== undefined && site) {
    more.push(observation("what-if-t-score", coding(site), changes.tScore, "{T-score}", subject, today, "imaging"));
  }
  const measure = codes.kidney.find((one) => one.kind === changes.measure);
  if (changes.kidney !== undefined && measure) {
    more.push(observation("what-if-kidney", coding(measure), changes.kidney, measure.ucum, subject, today, "laboratory"));
  }
  const drug = codes.drugs.find((one) => one.code === changes.drug);
  if (drug) {
    const start = new Date(`${today}T00:00:00Z`);
    start.setUTCFullYear(start.getUTCFullYear() - changes.since);
    const statement: JsonObject = {
      resourceType: "MedicationStatement",
      id: "what-if-drug",
      status: "active",
      medicationCodeableConcept: { coding: [coding(drug)], text: drug.name },
      subject,
      effectivePeriod: { start: day(start) },
      dateAsserted: today,
    };
    if ("dailyMg" in drug && drug.dailyMg) {
      const quantity = { value: drug.dailyMg, unit: "mg", system: "http://unitsofmeasure.org", code: "mg" };
      statement.dosage = [
        { timing: { repeat: { frequency: 1, period: 1, periodUnit: "d" } }, doseAndRate: [{ doseQuantity: quantity }] },
      ];
    }
    more.push(statement);
  }
  const fracture = codes.fractures.find((one) => one.code === changes.fracture);
  if (fracture) {
    const when = new Date(`${today}T00:00:00Z`);
    when.setUTCDate(when.getUTCDate() - 14);
    more.push({
      resourceType: "Condition",
      id: "what-if-fracture",
      clinicalStatus: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-clinical", code: "active" }] },
      verificationStatus: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-ver-status", code: "confirmed" }] },
      code: { coding: [coding(fracture), { system: "urn:osteon:finding", code: "low-energy-fracture" }], text: fracture.display },
      subject,
      onsetDateTime: day(when),
    });
  }
  const course = timeline.courses?.find((one) => one.resources.join(" ") === changes.stopped);
  for (const reference of course?.resources ?? []) stop(prefetch, reference, today);
  if (more.length) {
    prefetch[KEY] = { resourceType: "Bundle", type: "searchset", entry: more.map((resource) => ({ resource })) };
  }
  return made;
}

function coding({ system, code, display }: { system: string; code: string; display: string }): JsonObject {
  return { system, code, display };
}

function observation(
  id: string,
  code: JsonObject,
  value: number,
  ucum: string,
  subject: JsonObject,
  today: string,
  category: string,
): JsonObject {
  return {
    resourceType: "Observation",
    id,
    status: "final",
    category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: category }] }],
    code: { coding: [code] },
    subject,
    effectiveDateTime: today,
    valueQuantity: { value, unit: ucum, system: "http://unitsofmeasure.org", code: ucum },
  };
}

function day(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

/** End the records of a course today. What was given on a day stays as it was. */
function stop(prefetch: JsonObject, reference: string, today: string): void {
  const [type, id] = reference.split("/");
  for (const bundle of Object.values(prefetch)) {
    const entries = (bundle as { entry?: { resource?: JsonObject }[] } | null)?.entry;
    for (const { resource } of Array.isArray(entries) ? entries : []) {
      if (!resource || resource.resourceType !== type || resource.id !== id) continue;
      if (type === "MedicationStatement") {
        const period = (resource.effectivePeriod as JsonObject | undefined) ?? {};
        resource.status = "stopped";
        resource.effectivePeriod = { start: resource.effectiveDateTime ?? null, ...period, end: today };
        if (resource.effectivePeriod.start === null) delete resource.effectivePeriod.start;
        delete resource.effectiveDateTime;
      } else if (type === "MedicationRequest") resource.status = "stopped";
    }
  }
}

export type Move = "new" | "changed";

export interface Moved {
  moves: Map<string, Move>;
  gone: Card[];
  added: Card[];
  altered: { before: Card; after: Card }[];
}

function keyed(cards: Card[]): Map<string, Card> {
  const found = new Map<string, Card>();
  for (const card of cards) {
    const advice = card.extension?.["osteon.explanation"]?.advice ?? card.summary;
    let key = advice;
    for (let number = 2; found.has(key); number += 1) key = `${advice} ${number}`;
    found.set(key, card);
  }
  return found;
}

function told(card: Card): string {
  const suggestions = (card.suggestions ?? []).map((one) => `${one.label} ${one.isRecommended ?? ""}`);
  return JSON.stringify([card.summary, card.indicator, card.detail, suggestions]);
}

/** Which cards are new, gone or changed. Cards are the same where they give the same advice. */
export function compared(before: Answer, after: Answer): Moved {
  const old = keyed(before.cards);
  const fresh = keyed(after.cards);
  const moved: Moved = { moves: new Map(), gone: [], added: [], altered: [] };
  for (const [key, card] of fresh) {
    const was = old.get(key);
    if (!was) {
      moved.added.push(card);
      moved.moves.set(card.uuid, "new");
    } else if (told(was) !== told(card)) {
      moved.altered.push({ before: was, after: card });
      moved.moves.set(card.uuid, "changed");
    }
  }
  for (const [key, card] of old) if (!fresh.has(key)) moved.gone.push(card);
  return moved;
}

export function WhatIf({
  changes,
  onChange,
  timeline,
  moved,
  lang,
}: {
  changes: Changes;
  onChange: (changes: Changes) => void;
  timeline: Timeline;
  moved?: Moved;
  lang: string;
}) {
  const id = useId();
  const set = (part: Partial<Changes>) => onChange({ ...changes, ...part });
  const number = (text: string) => (text.trim() === "" || Number.isNaN(Number(text)) ? undefined : Number(text));
  const running = (timeline.courses ?? []).filter((one) => one.status !== "past" && one.status !== "planned");
  const newest = (site: string) =>
    timeline.densities?.filter((one) => one.kind === "t_score" && one.site === site).at(-1)?.value;
  const kidney = timeline.kidney?.filter((one) => one.kind === changes.measure).at(-1)?.value;
  const measure = codes.kidney.find((one) => one.kind === changes.measure);
  return (
    <form class="what-if" onSubmit={(event) => event.preventDefault()}>
      <div class="fields">
        <label for={`${id}-age`}>
          Age
          <input
            id={`${id}-age`}
            name="age"
            type="number"
            min="0"
            max="120"
            step="1"
            placeholder={timeline.patient.age?.toString() ?? "not known"}
            value={changes.age ?? ""}
            onChange={(event) => set({ age: number(event.currentTarget.value) })}
          />
        </label>
        <div class="pair" role="group" aria-label="T-score measured today">
          <label for={`${id}-site`}>
            T-score at
            <select id={`${id}-site`} value={changes.site} onChange={(event) => set({ site: event.currentTarget.value })}>
              {codes.sites.map((one) => (
                <option key={one.site} value={one.site}>
                  {one.name}
                </option>
              ))}
            </select>
          </label>
          <label for={`${id}-t`}>
            today
            <input
              id={`${id}-t`}
              name="t-score"
              type="number"
              min="-8"
              max="6"
              step="0.1"
              placeholder={newest(changes.site)?.toString() ?? "none"}
              value={changes.tScore ?? ""}
              onChange={(event) => set({ tScore: number(event.currentTarget.value) })}
            />
          </label>
        </div>
        <div class="pair" role="group" aria-label="Kidney function measured today">
          <label for={`${id}-measure`}>
            Kidney
            <select id={`${id}-measure`} value={changes.measure} onChange={(event) => set({ measure: event.currentTarget.value })}>
              {codes.kidney.map((one) => (
                <option key={one.kind} value={one.kind}>
                  {one.name}
                </option>
              ))}
            </select>
          </label>
          <label for={`${id}-kidney`}>
            {measure?.unit}
            <input
              id={`${id}-kidney`}
              name="kidney"
              type="number"
              min="1"
              max="250"
              step="1"
              placeholder={kidney?.toString() ?? "none"}
              value={changes.kidney ?? ""}
              onChange={(event) => set({ kidney: number(event.currentTarget.value) })}
            />
          </label>
        </div>
        <div class="pair" role="group" aria-label="A drug in addition">
          <label for={`${id}-drug`}>
            Add a drug
            <select id={`${id}-drug`} name="drug" value={changes.drug} onChange={(event) => set({ drug: event.currentTarget.value })}>
              <option value="">none</option>
              {codes.drugs.map((one) => (
                <option key={one.code} value={one.code}>
                  {one.name}
                </option>
              ))}
            </select>
          </label>
          <label for={`${id}-since`}>
            since
            <select id={`${id}-since`} value={changes.since} onChange={(event) => set({ since: Number(event.currentTarget.value) })}>
              <option value={0}>today</option>
              <option value={1}>1 year</option>
              <option value={3}>3 years</option>
              <option value={6}>6 years</option>
              <option value={10}>10 years</option>
            </select>
          </label>
        </div>
        <label for={`${id}-stop`}>
          Stop a drug today
          <select id={`${id}-stop`} name="stop" value={changes.stopped} onChange={(event) => set({ stopped: event.currentTarget.value })}>
            <option value="">none</option>
            {running.map((one) => (
              <option key={one.resources.join(" ")} value={one.resources.join(" ")}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <label for={`${id}-fracture`}>
          Add a low-energy fracture, two weeks ago
          <select id={`${id}-fracture`} name="fracture" value={changes.fracture} onChange={(event) => set({ fracture: event.currentTarget.value })}>
            <option value="">none</option>
            {codes.fractures.map((one) => (
              <option key={one.code} value={one.code}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="outcome" role="status">
        {moved ? <Outcome moved={moved} lang={lang} /> : <p class="soft small">Change a value to see which cards move.</p>}
      </div>
      {isChanged(changes) && (
        <button type="button" onClick={() => onChange({ ...NONE, site: changes.site, measure: changes.measure })}>
          Back to the record
        </button>
      )}
    </form>
  );
}

function Outcome({ moved, lang }: { moved: Moved; lang: string }) {
  const { added, gone, altered } = moved;
  if (!added.length && !gone.length && !altered.length) return <p>No card moves.</p>;
  return (
    <ul class="moves">
      {added.map((card) => (
        <li key={card.uuid}>
          <strong>+ new:</strong> <span lang={lang}>{card.summary}</span>
        </li>
      ))}
      {gone.map((card) => (
        <li key={card.uuid}>
          <strong>− gone:</strong> <span lang={lang}>{card.summary}</span>
        </li>
      ))}
      {altered.map(({ before, after }) => (
        <li key={after.uuid}>
          <strong>~ changed:</strong> <span lang={lang}>{after.summary}</span>
          {before.indicator !== after.indicator && ` (${INDICATORS[before.indicator].word} → ${INDICATORS[after.indicator].word})`}
        </li>
      ))}
    </ul>
  );
}
