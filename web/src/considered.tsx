// Every recommendation of the profile: holds, cannot be told, does not hold; its criteria as a tree, the deciding facts
// marked.
import { useEffect, useMemo, useState } from "preact/hooks";
import { InlineMarkdown } from "./markdown";
import type { Considered, Explanation, Holds, Tree } from "./types";
import { HOLDS, ROLES } from "./words";

const ORDER: Holds[] = ["true", "unknown", "false"];

export function Recommendations({ told, lang }: { told: Explanation; lang: string }) {
  const all = told.considered ?? [];
  const [shown, setShown] = useState<Holds | "all">("true");
  const [wanted, setWanted] = useState("");
  const target = useTarget(all, (holds) => {
    setShown(holds);
    setWanted("");
  });
  const counts = useMemo(
    () => Object.fromEntries(ORDER.map((holds) => [holds, all.filter((one) => one.holds === holds).length])) as Record<Holds, number>,
    [all],
  );
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const listed = all.filter(
    (one) =>
      (shown === "all" || one.holds === shown) &&
      words.every((word) => `${one.id} ${one.statement ?? ""} ${one.sourceName} ${one.advice ?? ""}`.toLowerCase().includes(word)),
  );
  return (
    <>
      <div class="filters">
        <fieldset>
          <legend class="hidden">Which recommendations</legend>
          {ORDER.map((holds) => (
            <label key={holds} class={`choice ${shown === holds ? "chosen" : ""}`}>
              <input type="radio" name="holds" checked={shown === holds} onChange={() => setShown(holds)} />
              <span aria-hidden="true">{HOLDS[holds].sign}</span> {HOLDS[holds].word} ({counts[holds]})
            </label>
          ))}
          <label class={`choice ${shown === "all" ? "chosen" : ""}`}>
            <input type="radio" name="holds" checked={shown === "all"} onChange={() => setShown("all")} /> all ({all.length})
          </label>
        </fieldset>
        <label class="search">
          <span class="hidden">Search the recommendations</span>
          <input type="search" placeholder="Search: denosumab, T-score …" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
        </label>
      </div>
      <p class="hidden" role="status">
        {listed.length} recommendations listed
      </p>
      <ul class="considered">
        {listed.map((one) => (
          <li key={one.id}>
            <Recommendation one={one} told={told} lang={lang} open={one.id === target} />
          </li>
        ))}
      </ul>
      {!listed.length && <p class="soft">None.</p>}
    </>
  );
}

/** The recommendation that the address points at ("#why-<id>"), shown and scrolled to. */
function useTarget(all: Considered[], show: (holds: Holds) => void): string | undefined {
  const [target, setTarget] = useState<string>();
  useEffect(() => {
    const follow = () => {
      const id = decodeURIComponent(location.hash).replace(/^#why-/, "");
      const found = location.hash.startsWith("#why-") ? all.find((one) => one.id === id) : undefined;
      if (!found) return;
      show(found.holds);
      setTarget(found.id);
      requestAnimationFrame(() => {
        const place = document.getElementById(`why-${found.id}`);
        place?.scrollIntoView({ block: "start" });
        place?.querySelector("summary")?.focus({ preventScroll: true });
      });
    };
    follow();
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, [all]);
  return target;
}

function Recommendation({ one, told, lang, open }: { one: Considered; told: Explanation; lang: string; open: boolean }) {
  const [opened, setOpened] = useState(open);
  useEffect(() => {
    if (open) setOpened(true);
  }, [open]);
  return (
    <details id={`why-${one.id}`} open={opened} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>
        <HoldsTag holds={one.holds} />{" "}
        <span class="statement" lang={lang}>
          {one.statement ?? one.id}
        </span>
      </summary>
      {opened && (
        <div class="why">
          <p class="small soft">
            {one.url ? (
              <a href={one.url} target="_blank" rel="noopener noreferrer" lang={lang}>
                {one.sourceName}
              </a>
            ) : (
              <span lang={lang}>{one.sourceName}</span>
            )}{" "}
            · {one.strength}
            {one.grade && ` (${one.grade})`} · {ROLES[one.role] ?? one.role} · <code>{one.id}</code>
            {one.cards ? ` · on the card ${one.cards.join(", ")}` : one.holds === "true" ? " · on no card of this answer" : ""}
          </p>
          <TreeView tree={one.when} told={told} lang={lang} decides />
          {one.unless?.map((unless, number) => (
            <div key={number} class="unless">
              <p class="small">
                <strong>Unless</strong> <span class="soft">(if it cannot be told: {MEANS[unless.unknownMeans ?? ""] ?? unless.unknownMeans})</span>
              </p>
              <TreeView tree={unless} told={told} lang={lang} decides={one.when.holds === "true" && unless.holds !== "false"} />
            </div>
          ))}
          {one.missing && (
            <p class="small">
              <strong>Not on record:</strong> <span lang={lang}>{[...new Set(one.missing)].join(", ")}</span>
            </p>
          )}
        </div>
      )}
    </details>
  );
}

const MEANS: Record<string, string> = {
  ask: "the advice stays and names what is missing",
  block: "the advice stays without a suggestion",
  withhold: "the advice is held back",
  silent: "the advice stays",
};

function HoldsTag({ holds }: { holds: Holds }) {
  const { sign, word, kind } = HOLDS[holds];
  return (
    <span class={`tag ${kind}`}>
      <span aria-hidden="true">{sign}</span>
      {word}
    </span>
  );
}

const GROUPS: Record<string, string> = { all: "All of these", any: "At least one of these", not: "Not" };

function TreeView({ tree, told, lang, decides }: { tree: Tree; told: Explanation; lang: string; decides: boolean }) {
  return (
    <ul class="tree">
      <Branch tree={tree} told={told} lang={lang} decides={decides} />
    </ul>
  );
}

function Branch({ tree, told, lang, decides }: { tree: Tree; told: Explanation; lang: string; decides: boolean }) {
  const { sign, word } = HOLDS[tree.holds];
  const named = tree.kind === "named" ? told.criteria?.[tree.name ?? ""] : undefined;
  // A named criterion is a tree of its own; its outermost group is shown in its place.
  const parts = named ? (named.parts ?? [named]) : tree.parts;
  const title =
    tree.kind === "criterion" ? tree.text : tree.kind === "constant" ? (tree.holds === "true" ? "always" : "never") : (named?.meaning ?? GROUPS[tree.kind]);
  const inside = named && !named.parts;
  return (
    <li class={`${tree.holds} ${decides ? "decides" : ""}`}>
      <span class="sign" aria-hidden="true">
        {sign}
      </span>
      <span class="hidden">{word}: </span>
      <span class="what">
        {title}
        {named?.parts && <span class="soft small"> ({GROUPS[named.kind]?.toLowerCase()})</span>}
        {tree.limitOfThisHospital && <span class="tag neutral">limit of this hospital</span>}
        {decides && tree.kind === "criterion" && <strong class="mark">decides</strong>}
      </span>
      <Facts tree={tree} told={told} lang={lang} />
      {parts && (
        <ul>
          {parts.map((part, number) => (
            <Branch key={number} tree={part} told={told} lang={lang} decides={decides && (inside || tree.kind === "not" || Boolean(part.decides))} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Facts({ tree, told, lang }: { tree: Tree; told: Explanation; lang: string }) {
  const facts = (tree.facts ?? []).flatMap((place) => told.facts?.[place] ?? []);
  if (!facts.length && !tree.why) return null;
  return (
    <span class="facts small">
      {facts.map((fact, number) => (
        <span key={number} class="fact">
          <InlineMarkdown text={fact.line} lang={lang} />
          {fact.resource && <code> {fact.resource}</code>}
        </span>
      ))}
      {tree.why && <span class="fact">{tree.why.join("; ")}</span>}
    </span>
  );
}
