// The bone story of a patient as one picture: T-scores with the limits of the recommendations, fractures, drugs with
// the doses that were given, kidney function, over one time axis. Nothing is told by colour alone: sites have shapes,
// lines have dashes, states have outlines, and all of it stands in tables as well.
import * as Plot from "@observablehq/plot";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { StoryTables, dateOf, doseOf } from "./story-tables";
import type { Course, Density, Explanation, Fracture, Laboratory, Limit, Time, Timeline } from "./types";
import { STATUS, counted } from "./words";

const SHAPES: { symbol: Plot.SymbolType; sign: string; dash: string }[] = [
  { symbol: "circle", sign: "●", dash: "" },
  { symbol: "square", sign: "■", dash: "5 3" },
  { symbol: "triangle", sign: "▲", dash: "2 2" },
  { symbol: "diamond", sign: "◆", dash: "8 3 2 3" },
  { symbol: "star", sign: "★", dash: "1 3" },
  { symbol: "wye", sign: "▼", dash: "10 4" },
];
const MOST_LABELS = 14;
const DAY = 24 * 60 * 60 * 1000;

interface Frame {
  width: number;
  left: number;
  right: number;
  domain: [Date, Date];
  today: Date;
}

export function BoneStory({ told, lang }: { told: Explanation; lang: string }) {
  const { timeline } = told;
  const holder = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = holder.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    setWidth(Math.floor(element.clientWidth));
    return () => observer.disconnect();
  }, []);
  if (!timeline) return null;
  const frame = frameOf(timeline, width);
  const scores = (timeline.densities ?? []).filter((one) => one.kind === "t_score" && one.first);
  const sites = [...new Set(scores.map((one) => one.name))];
  const kidney = measured(timeline.kidney ?? []);
  const something = scores.length || timeline.fractures?.length || timeline.courses?.length || kidney.length;
  return (
    <div class="story">
      <PatientLine timeline={timeline} />
      <div ref={holder} class="plots" role="img" aria-label={`${summaryOf(timeline)} The same stands in the tables below.`} lang={lang}>
        {frame && something ? (
          <>
            {scores.length > 0 && (
              <>
                <p class="plot-title">
                  T-score{" "}
                  {sites.map((name, number) => (
                    <span key={name} class="key">
                      <span aria-hidden="true">{SHAPES[number % SHAPES.length]!.sign}</span> {name}
                    </span>
                  ))}
                  {limitsOf(told, isDensity).length > 0 && <span class="key">┄ limits of the recommendations</span>}
                </p>
                <Drawn make={() => density(scores, sites, limitsOf(told, isDensity), frame)} on={[told, width]} />
              </>
            )}
            {(timeline.fractures?.length || timeline.courses?.length) && (
              <>
                <p class="plot-title">
                  Fractures and drugs <span class="key">✕ fracture</span> <span class="key">◆ dose given</span>
                  <span class="key">▬ in use</span> <span class="key">▭ ended or uncertain</span>
                </p>
                <Drawn make={() => events(timeline, frame)} on={[told, width]} />
              </>
            )}
            {kidney.length > 0 && (
              <>
                <p class="plot-title">
                  Kidney: {kidney[0]!.name}, {kidney[0]!.unit}
                </p>
                <Drawn make={() => laboratory(kidney, kidneyLimits(told, kidney), frame)} on={[told, width]} />
              </>
            )}
          </>
        ) : (
          !something && <p class="soft">No bone density, fracture, drug or kidney function is on record.</p>
        )}
      </div>
      <details class="tables">
        <summary>The same as tables</summary>
        <StoryTables told={told} lang={lang} />
      </details>
    </div>
  );
}

function PatientLine({ timeline }: { timeline: Timeline }) {
  const { sex, age, birthDate, deceased } = timeline.patient;
  const said = [sex ?? "sex not known", age !== undefined ? `${age} years` : birthDate ? `born ${birthDate}` : "age not known"];
  if (deceased) said.push("deceased");
  return <p class="patient">{said.join(", ")}</p>;
}

/** One sentence for those who do not see the picture. */
export function summaryOf(timeline: Timeline): string {
  const scores = (timeline.densities ?? []).filter((one) => one.kind === "t_score");
  const newest = scores.at(-1);
  const parts = [
    newest ? `newest T-score ${newest.comparator ?? ""}${newest.value} at the ${newest.name}, ${newest.date ?? "no date"}` : "no T-score",
    counted(timeline.fractures?.length ?? 0, "fracture"),
    counted(timeline.courses?.length ?? 0, "drug course"),
    counted(timeline.kidney?.length ?? 0, "kidney value"),
  ];
  return `Timeline of bone health: ${parts.join(", ")}.`;
}

/** A drawing of Plot in the page. Its own style element goes: the policy of the page allows no inline style. */
function Drawn({ make, on }: { make: () => (SVGSVGElement | HTMLElement) & Plot.Plot; on: unknown[] }) {
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const drawing = make();
    drawing.querySelectorAll("style").forEach((style) => style.remove());
    holder.current?.replaceChildren(drawing);
  }, on);
  return <div ref={holder} class="drawn" aria-hidden="true" />;
}

function moment(text: string): Date {
  return new Date(`${text}T00:00:00Z`);
}

function middle(time: Time): Date {
  return new Date((moment(time.first!).getTime() + moment(time.last ?? time.first!).getTime()) / 2);
}

function frameOf(timeline: Timeline, width: number): Frame | undefined {
  if (width < 100) return undefined;
  const today = moment(timeline.today);
  const days = [
    ...(timeline.densities ?? []),
    ...(timeline.fractures ?? []),
    ...(timeline.kidney ?? []),
    ...(timeline.courses ?? []).flatMap((one) => [one.started ?? {}, one.ended ?? {}, ...(one.given ?? []).map((day) => ({ first: day }))]),
  ].flatMap((one: Time) => (one.first ? [moment(one.first).getTime()] : []));
  const first = Math.min(...days, today.getTime() - 2 * 365 * DAY);
  const span = today.getTime() - first;
  const narrow = width < 560;
  return {
    width,
    left: narrow ? 84 : 150,
    right: narrow ? 44 : 64,
    domain: [new Date(first - span * 0.03), new Date(today.getTime() + span * 0.03)],
    today,
  };
}

function base({ width, left, right, domain }: Frame): Plot.PlotOptions {
  return {
    width,
    marginLeft: left,
    marginRight: right,
    x: { domain, type: "utc", label: null, ticks: Math.max(3, Math.floor((width - left - right) / 70)), grid: true },
    className: "plot",
  };
}

function isDensity(limit: Limit): boolean {
  return limit.feature.includes("t_score");
}

interface Line {
  value: number;
  said: string;
  why: string;
}

/** The limits as lines: the same number of several recommendations is one line. */
function limitsOf(told: Explanation, wanted: (limit: Limit) => boolean): Line[] {
  const found = new Map<string, Line>();
  for (const limit of (told.limits ?? []).filter(wanted)) {
    const said = `${limit.sign} ${minus(limit.limit)}`;
    const before = found.get(said);
    const why = limit.recommendations.map((id) => told.considered?.find((one) => one.id === id)?.statement ?? id).join("\n");
    found.set(said, { value: limit.limit, said, why: before ? `${before.why}\n${why}` : why });
  }
  return [...found.values()];
}

function kidneyLimits(told: Explanation, kidney: Laboratory[]): Line[] {
  // The sources limit the clearance; an eGFR is never taken for one, so its picture has no limit.
  return kidney[0]?.kind === "creatinine_clearance" ? limitsOf(told, (limit) => limit.feature === "creatinine_clearance") : [];
}

function minus(value: number): string {
  return value < 0 ? `−${Math.abs(value)}` : String(value);
}

function limitMarks(lines: Line[], frame: Frame): Plot.Markish[] {
  return [
    Plot.ruleY(lines, { y: "value", stroke: "var(--warning)", strokeWidth: 1.5, strokeDasharray: "6 4", title: "why" }),
    Plot.text(lines, {
      x: frame.domain[1],
      y: "value",
      text: "said",
      textAnchor: "start",
      dx: 5,
      fill: "var(--warning)",
      fontWeight: 600,
      title: "why",
    }),
  ];
}

function todayMark(frame: Frame): Plot.Markish {
  return Plot.ruleX([frame.today], { stroke: "var(--strong-line)", strokeDasharray: "2 3" });
}

function density(scores: Density[], sites: string[], lines: Line[], frame: Frame) {
  const values = [...scores.map((one) => one.value), ...lines.map((one) => one.value)];
  const label = (one: Density) => `${one.name}: ${one.comparator ?? ""}${minus(one.value)} (${one.date})`;
  const labelled = scores.length <= MOST_LABELS ? scores : sites.flatMap((name) => scores.filter((one) => one.name === name).slice(-1));
  return Plot.plot({
    ...base(frame),
    height: 190,
    marginTop: 14,
    marginBottom: 24,
    y: {
      domain: [Math.min(-3.2, ...values) - 0.4, Math.max(0.2, ...values) + 0.4],
      ticks: 5,
      tickFormat: (value: number) => minus(value),
      label: null,
    },
    marks: [
      ...limitMarks(lines, frame),
      todayMark(frame),
      ...sites.flatMap((name, number) => {
        const shape = SHAPES[number % SHAPES.length]!;
        const mine = scores.filter((one) => one.name === name);
        return [
          Plot.line(mine, { x: middle, y: "value", stroke: "var(--accent)", strokeWidth: 1.8, strokeDasharray: shape.dash || "none" }),
          Plot.dot(mine, {
            x: middle,
            y: "value",
            symbol: shape.symbol,
            r: 5,
            fill: "var(--accent)",
            stroke: "var(--surface)",
            title: label,
          }),
        ];
      }),
      ...[-11, 12].map((dy) =>
        Plot.text(
          labelled.filter((one) => isLower(one, labelled) === dy > 0),
          {
            x: middle,
            y: "value",
            text: (one: Density) => `${one.comparator ?? ""}${minus(one.value)}`,
            dy,
            fill: "var(--ink)",
            stroke: "var(--surface)",
            strokeWidth: 4,
          },
        ),
      ),
    ],
  });
}

/** Whether a higher value of the same day stands above: then the number goes below its point. */
function isLower(one: Density, all: Density[]): boolean {
  return all.some((other) => other !== one && other.first === one.first && other.value > one.value);
}

const FRACTURES = "Fractures";

/** Whether a date is so near to the right edge that its label goes to the left of it. */
function isLate(time: Time, { domain }: Frame): boolean {
  const [first, last] = [domain[0].getTime(), domain[1].getTime()];
  return middle(time).getTime() > last - (last - first) / 4;
}

function rowOf(course: Course, width: number): string {
  const most = width < 560 ? 12 : 22;
  return course.name.length > most ? `${course.name.slice(0, most - 1)}…` : course.name;
}

function events(timeline: Timeline, frame: Frame) {
  const fractures = (timeline.fractures ?? []).filter((one) => one.first);
  // Drugs for bone first: they are what the picture is about.
  const dated = (timeline.courses ?? []).filter((one) => one.started?.first || one.given?.length);
  const courses = [...dated.filter((one) => one.forBone), ...dated.filter((one) => !one.forBone)];
  const rows = [...(fractures.length ? [FRACTURES] : []), ...new Set(courses.map((one) => rowOf(one, frame.width)))];
  const y = (course: Course) => rowOf(course, frame.width);
  const from = (course: Course) => moment(course.started?.first ?? course.given![0]!);
  const until = (course: Course) => {
    const end = course.ended?.last ?? (course.status === "past" ? (course.given?.at(-1) ?? course.started?.last) : undefined);
    return end ? moment(end) : frame.today;
  };
  const said = (course: Course) =>
    [`${course.name} (${STATUS[course.status] ?? course.status})`, `${dateOf(course.started)} to ${dateOf(course.ended) || "now"}`, doseOf(course)]
      .filter(Boolean)
      .join("\n");
  const colour = (course: Course) => (course.forBone ? "var(--accent)" : "var(--strong-line)");
  const running = courses.filter((one) => one.status === "current");
  const past = courses.filter((one) => one.status === "past");
  const uncertain = courses.filter((one) => !["current", "planned", "past"].includes(one.status));
  const planned = courses.filter((one) => one.status === "planned");
  const doses = courses.flatMap((course) => (course.given ?? []).map((date) => ({ row: y(course), date: moment(date), said: `${course.name}: dose of ${date}` })));
  const energy: Record<string, string> = { low: "low energy", high: "high energy", not_recorded: "energy not recorded" };
  const told = (one: Fracture) =>
    [one.name, one.where, one.date, energy[one.energy], one.suspected && "suspected", one.atypicalFemoral && "atypical"].filter(Boolean).join(", ");
  return Plot.plot({
    ...base(frame),
    height: 34 + rows.length * 26,
    marginTop: 8,
    marginBottom: 24,
    color: { type: "identity" },
    y: { domain: rows, label: null, type: "band", padding: 0.25 },
    marks: [
      todayMark(frame),
      Plot.axisY({ tickSize: 0, fill: "var(--ink)" }),
      Plot.barX(past, { x1: from, x2: until, y, fill: "var(--raised)", stroke: "var(--strong-line)", title: said }),
      Plot.barX(uncertain, { x1: from, x2: until, y, fill: "none", stroke: "var(--strong-line)", strokeDasharray: "4 3", title: said }),
      Plot.barX(running, { x1: from, x2: until, y, fill: colour, title: said }),
      Plot.text(running, { x: until, y, text: () => "▶", textAnchor: "start", dx: -2, fill: colour }),
      Plot.text(planned, { x: frame.today, y, text: () => "planned", textAnchor: "end", dx: -6, fill: "var(--soft)" }),
      Plot.dot(doses, { x: "date", y: "row", symbol: "diamond", r: 4, fill: "var(--surface)", stroke: "var(--ink)", strokeWidth: 1.2, title: "said" }),
      ...(fractures.length
        ? [
            Plot.ruleY(
              fractures.filter((one) => one.first !== one.last),
              { x1: (one: Fracture) => moment(one.first!), x2: (one: Fracture) => moment(one.last!), y: () => FRACTURES, stroke: "var(--critical)" } as Plot.RuleYOptions,
            ),
            Plot.dot(fractures, { x: middle, y: () => FRACTURES, symbol: "times", r: 5, stroke: "var(--critical)", strokeWidth: 2.5, title: told }),
            ...[false, true].map((late) =>
              Plot.text(
                fractures.filter((one) => isLate(one, frame) === late),
                {
                  x: middle,
                  y: () => FRACTURES,
                  text: (one: Fracture) => (one.suspected ? `${one.name}?` : one.name),
                  textAnchor: late ? "end" : "start",
                  dx: late ? -9 : 9,
                  fill: "var(--ink)",
                  stroke: "var(--surface)",
                  strokeWidth: 3,
                  title: told,
                },
              ),
            ),
          ]
        : []),
    ],
  });
}

/** The measure of kidney function that is on record most often; clearance before eGFR before creatinine. */
function measured(kidney: Laboratory[]): Laboratory[] {
  const dated = kidney.filter((one) => one.first && one.value !== undefined);
  const kinds = ["creatinine_clearance", "egfr", "creatinine"].map((kind) => dated.filter((one) => one.kind === kind));
  return kinds.find((one) => one.length > 1) ?? kinds.find((one) => one.length) ?? [];
}

function laboratory(kidney: Laboratory[], lines: Line[], frame: Frame) {
  const values = [...kidney.map((one) => one.value ?? 0), ...lines.map((one) => one.value)];
  const labelled = kidney.length <= MOST_LABELS ? kidney : kidney.slice(-1);
  return Plot.plot({
    ...base(frame),
    height: 120,
    marginTop: 14,
    marginBottom: 24,
    y: { domain: [0, Math.max(60, ...values) * 1.25], ticks: 4, label: null },
    marks: [
      ...limitMarks(lines, frame),
      todayMark(frame),
      Plot.line(kidney, { x: middle, y: "value", stroke: "var(--info)", strokeWidth: 1.8 }),
      Plot.dot(kidney, {
        x: middle,
        y: "value",
        symbol: "circle",
        r: 4,
        fill: "var(--info)",
        stroke: "var(--surface)",
        title: (one: Laboratory) => `${one.name} ${one.comparator ?? ""}${one.value} ${one.unit} (${one.date})`,
      }),
      Plot.text(labelled, {
        x: middle,
        y: "value",
        text: (one: Laboratory) => `${one.comparator ?? ""}${one.value}`,
        dy: -11,
        fill: "var(--ink)",
        stroke: "var(--surface)",
        strokeWidth: 4,
      }),
    ],
  });
}
