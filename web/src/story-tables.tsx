// The bone story as tables: the text form of the picture, with everything that has no date.
import type { ComponentChildren } from "preact";
import type { Course, Explanation, Time } from "./types";
import { STATUS } from "./words";

export function dateOf(time?: Time): string {
  return time?.date ?? "";
}

/** The dose of a course in words. */
export function doseOf(course: Course): string {
  const { dose } = course;
  if (!dose) return "";
  const single = dose.singleMg !== undefined ? `${dose.singleMg} mg` : "";
  const every = dose.intervalDays !== undefined ? (dose.intervalDays === 1 ? "daily" : `every ${Math.round(dose.intervalDays)} days`) : "";
  const daily = dose.dailyMg !== undefined && dose.intervalDays !== 1 ? `${Math.round(dose.dailyMg * 100) / 100} mg a day on average` : "";
  const said = [[single, every].filter(Boolean).join(" "), single && every ? "" : daily, dose.asNeeded ? "as needed" : ""].filter(Boolean);
  return said.length ? said.join(", ") : `dose not known${dose.unknownBecause ? ` (${dose.unknownBecause})` : ""}`;
}

export function StoryTables({ told, lang }: { told: Explanation; lang: string }) {
  const timeline = told.timeline;
  if (!timeline) return null;
  const units: Record<string, string> = { t_score: "T-score", z_score: "Z-score", bmd: "BMD", qct: "QCT" };
  return (
    <div class="story-tables">
      <Table
        caption="Bone density"
        heads={["Date", "Measure", "Site", "Value", "Record"]}
        rows={(timeline.densities ?? []).map((one) => [
          dateOf(one) || "no date",
          units[one.kind] ?? one.kind,
          <span lang={lang}>{one.name}</span>,
          `${one.comparator ?? ""}${one.value} ${one.unit}${one.readFromText ? " (read from text)" : ""}${one.preliminary ? " (preliminary)" : ""}${one.siteContradictory ? " (site contradictory)" : ""}`,
          <code>{one.resource}</code>,
        ])}
      />
      <Table
        caption="Limits of the recommendations"
        heads={["Measure", "Limit", "Recommendations"]}
        rows={(told.limits ?? []).map((one) => [
          one.feature.replaceAll("_", " "),
          `${one.sign} ${one.limit} ${one.unit}`,
          one.recommendations.map((id, number) => (
            <>
              {number > 0 && ", "}
              <a href={`#why-${id}`}>{id}</a>
            </>
          )),
        ])}
      />
      <Table
        caption="Fractures"
        heads={["Date", "Site", "Energy", "Record"]}
        rows={(timeline.fractures ?? []).map((one) => [
          dateOf(one) || "no date",
          <span lang={lang}>
            {[one.name, one.where].filter(Boolean).join(", ")}
            {one.suspected ? " (suspected)" : ""}
          </span>,
          one.energy.replaceAll("_", " "),
          <code>{one.resources.join(", ")}</code>,
        ])}
      />
      <Table
        caption="Drugs"
        heads={["Drug", "State", "From", "Until", "Dose", "Doses given", "Record"]}
        rows={(timeline.courses ?? []).map((one) => [
          <span lang={lang}>{one.name === one.recordedAs ? one.name : `${one.name} (${one.recordedAs})`}</span>,
          `${STATUS[one.status] ?? one.status}${one.stopReason ? `: ${one.stopReason}` : ""}`,
          dateOf(one.started) || "not known",
          dateOf(one.ended),
          doseOf(one),
          (one.given ?? []).join(", "),
          <code>
            {one.resources.slice(0, 3).join(", ")}
            {one.resources.length > 3 ? ` and ${one.resources.length - 3} more` : ""}
          </code>,
        ])}
      />
      <Table
        caption="Kidney function"
        heads={["Date", "Measure", "Value", "Record"]}
        rows={(timeline.kidney ?? []).map((one) => [
          dateOf(one) || "no date",
          <span lang={lang}>{one.name}</span>,
          `${one.comparator ?? ""}${one.value ?? ""} ${one.unit ?? ""}`,
          <code>{one.resource}</code>,
        ])}
      />
    </div>
  );
}

function Table({ caption, heads, rows }: { caption: string; heads: string[]; rows: ComponentChildren[][] }) {
  if (!rows.length) return <p class="small soft">{caption}: none on record.</p>;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, number) => (
            <tr key={number}>
              {row.map((cell, place) => (
                <td key={place}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
