// Cards as an EHR shows them: urgent first, Markdown, suggestions, source, links, reasons for not following.
import { useId, useState } from "preact/hooks";
import { Markdown } from "./markdown";
import type { Card, Suggestion } from "./types";
import type { Move } from "./whatif";
import { INDICATORS } from "./words";

export function Cards({ cards, lang, moves, busy }: { cards: Card[]; lang: string; moves: Map<string, Move>; busy: boolean }) {
  // A stable sort: within one urgency the order of the service stays.
  const sorted = [...cards].sort((one, other) => INDICATORS[one.indicator].rank - INDICATORS[other.indicator].rank);
  if (!sorted.length) {
    return <p class="panel empty">No card: from what is on record there is nothing to advise here.</p>;
  }
  return (
    <ol class="cards" aria-busy={busy}>
      {sorted.map((card) => (
        <li key={card.uuid}>
          <CardView card={card} lang={lang} move={moves.get(card.uuid)} />
        </li>
      ))}
    </ol>
  );
}

function CardView({ card, lang, move }: { card: Card; lang: string; move?: Move }) {
  const [dismissed, setDismissed] = useState<string>();
  const [accepted, setAccepted] = useState<string>();
  const title = useId();
  const indicator = INDICATORS[card.indicator];
  return (
    <article class={`card ${card.indicator}${dismissed ? " dismissed" : ""}`} aria-labelledby={title}>
      <header>
        <span class={`tag ${card.indicator}`}>
          <span aria-hidden="true">{indicator.sign}</span>
          {indicator.word}
        </span>
        {card.source.topic?.display && (
          <span class="topic" lang={lang}>
            {card.source.topic.display}
          </span>
        )}
        {move && <span class="tag moved">{move === "new" ? "new with what-if" : "changed with what-if"}</span>}
      </header>
      <h3 id={title} lang={lang}>
        {card.summary}
      </h3>
      {dismissed ? (
        <p class="soft small">
          Dismissed: <span lang={lang}>{dismissed}</span>.{" "}
          <button type="button" class="plain" onClick={() => setDismissed(undefined)}>
            Show again
          </button>
        </p>
      ) : (
        <>
          {card.detail && <Markdown text={card.detail} lang={lang} />}
          {card.suggestions && (
            <Suggestions suggestions={card.suggestions} lang={lang} accepted={accepted} onAccept={setAccepted} />
          )}
          {card.links && (
            <ul class="links">
              {card.links.map((link) => (
                <li key={link.url}>
                  <a href={link.url} target="_blank" rel="noopener noreferrer" lang={lang}>
                    {link.label}
                  </a>
                </li>
              ))}
            </ul>
          )}
          <footer>
            <p class="small soft">
              Source:{" "}
              {card.source.url ? (
                <a href={card.source.url} target="_blank" rel="noopener noreferrer" lang={lang}>
                  {card.source.label}
                </a>
              ) : (
                <span lang={lang}>{card.source.label}</span>
              )}
              <Cited card={card} />
            </p>
            {card.overrideReasons && (
              <label class="override">
                <span class="hidden">Reason for not following: {card.summary}</span>
                <select
                  value=""
                  onChange={(event) => setDismissed(event.currentTarget.selectedOptions[0]?.text)}
                >
                  <option value="">Dismiss, because …</option>
                  {card.overrideReasons.map((reason) => (
                    <option key={reason.code} value={reason.code} lang={lang}>
                      {reason.display}
                    </option>
                  ))}
                </select>
              </label>
            )}
          </footer>
        </>
      )}
    </article>
  );
}

function Cited({ card }: { card: Card }) {
  const cited = card.extension?.["osteon.explanation"]?.recommendations ?? [];
  const [first] = cited;
  if (!first) return null;
  return (
    <>
      {" · "}
      <a href={`#why-${first.id}`}>{cited.length === 1 ? "why" : `why (${cited.length} recommendations)`}</a>
    </>
  );
}

function Suggestions({
  suggestions,
  lang,
  accepted,
  onAccept,
}: {
  suggestions: Suggestion[];
  lang: string;
  accepted?: string;
  onAccept: (uuid: string | undefined) => void;
}) {
  const chosen = suggestions.find((one) => one.uuid === accepted);
  return (
    <div class="suggestions">
      {suggestions.map((one) => (
        <button
          key={one.uuid}
          type="button"
          class={one.isRecommended ? "primary" : ""}
          aria-pressed={one.uuid === accepted}
          onClick={() => onAccept(one.uuid === accepted ? undefined : one.uuid)}
        >
          <span lang={lang}>{one.label}</span>
          {one.isRecommended && <span class="small"> (recommended)</span>}
        </button>
      ))}
      {chosen && (
        <div class="accepted" role="status">
          <p class="small">An EHR would now do this; the page writes nothing:</p>
          <ul>
            {(chosen.actions ?? []).map((action) => (
              <li key={action.description}>
                <strong>{action.type}</strong> <span lang={lang}>{action.description}</span>
                {action.resource && (
                  <details>
                    <summary class="small">{String(action.resource.resourceType)} as JSON</summary>
                    <pre tabIndex={0}>{JSON.stringify(action.resource, null, 2)}</pre>
                  </details>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
