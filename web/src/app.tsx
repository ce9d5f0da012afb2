// The page: choose or paste a patient, see the cards and why. State lives in memory alone and goes with the page.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Cards } from "./cards";
import { Recommendations } from "./considered";
import { BoneStory } from "./picture";
import { Raw } from "./raw";
import { type Read, configured, locate, parse, requestOf, withHook } from "./read";
import { type Refusal, call, options as loadOptions, sample } from "./service";
import type { Answer, HookRequest, Options, Problem } from "./types";
import { NotUnderstood } from "./unread";
import { type Changes, type Moved, NONE, WhatIf, changed, compared, isChanged } from "./whatif";
import { HOOKS, LANGUAGES, PROFILES, counted } from "./words";

const PASTED = "";

interface Shown {
  request: HookRequest;
  answer: Answer;
  language: string;
}

export function App() {
  const [options, setOptions] = useState<Options>();
  const [failure, setFailure] = useState<Problem>();
  useEffect(() => {
    loadOptions().then(setOptions, (error) => setFailure({ title: "The service does not answer", reason: String(error) }));
  }, []);
  if (failure) return <ProblemView problem={failure} />;
  if (!options) return <p role="status">Loading …</p>;
  return <Explorer options={options} />;
}

function Explorer({ options }: { options: Options }) {
  const [chosen, setChosen] = useState(options.samples[0]?.name ?? PASTED);
  const [profile, setProfile] = useState(options.default.profile);
  const [language, setLanguage] = useState(options.default.language);
  const [hook, setHook] = useState("patient-view");
  const [text, setText] = useState("");
  const [whole, setWhole] = useState(false);
  const [source, setSource] = useState<{ request: HookRequest; read?: Read }>();
  const [base, setBase] = useState<Shown>();
  const [shown, setShown] = useState<Shown>();
  const [problem, setProblem] = useState<Problem>();
  const [changes, setChanges] = useState<Changes>(NONE);
  const [busy, setBusy] = useState(false);
  const running = useRef<AbortController | undefined>(undefined);

  const ask = useCallback(
    async (request: HookRequest, read: Read | undefined): Promise<Answer | undefined> => {
      running.current?.abort();
      const mine = (running.current = new AbortController());
      setBusy(true);
      try {
        const service = options.services.find((one) => one.hook === request.hook)?.id ?? `osteoporosis-${request.hook}`;
        const answer = await call(service, request, mine.signal);
        if (mine.signal.aborted) return undefined;
        if ("cards" in answer) {
          setProblem(undefined);
          return answer;
        }
        setProblem(placed(answer, read));
        return undefined;
      } catch (error) {
        if (!mine.signal.aborted) throw error;
        return undefined;
      } finally {
        if (running.current === mine) setBusy(false);
      }
    },
    [options],
  );

  // A shipped patient
  useEffect(() => {
    if (chosen === PASTED) return;
    let wanted = true;
    sample(chosen).then(
      (request) => {
        if (!wanted) return;
        setChanges(NONE);
        setHook(request.hook);
        setProfileOf(request);
        setSource({ request });
      },
      (error) => wanted && setProblem({ title: "The patient cannot be loaded", reason: String(error) }),
    );
    return () => {
      wanted = false;
    };
  }, [chosen]);

  const setProfileOf = (request: HookRequest) => {
    const asked = (request.extension as { "osteon.configuration"?: { profile?: string; language?: string } } | undefined)?.["osteon.configuration"];
    if (asked?.profile && options.profiles.includes(asked.profile)) setProfile(asked.profile);
    if (asked?.language && options.languages.includes(asked.language)) setLanguage(asked.language);
  };

  // The cards of the record as it is
  useEffect(() => {
    if (!source) return;
    const asked = source.request.hook === hook ? source.request : withHook(source.request, hook);
    const request = configured(asked, profile, language);
    ask(request, source.read).then((answer) => {
      if (!answer) return;
      const made = { request, answer, language };
      setBase(made);
      setShown(made);
    });
  }, [source, hook, profile, language, ask]);

  // What if
  useEffect(() => {
    const timeline = base?.answer.extension?.["osteon.explanation"]?.timeline;
    if (!base || !timeline) return;
    if (!isChanged(changes)) {
      setShown(base);
      return;
    }
    const request = configured(changed(base.request, changes, timeline), profile, language);
    ask(request, undefined).then((answer) => answer && setShown({ request, answer, language }));
  }, [changes, base]);

  const readText = () => {
    setChanges(NONE);
    const parsed = parse(text);
    const read = "reason" in parsed ? parsed : requestOf(parsed, hook, whole);
    if ("reason" in read) {
      setProblem(read);
      setShown(undefined);
      setBase(undefined);
      return;
    }
    if (read.kind === "request") {
      setHook(read.request.hook);
      setProfileOf(read.request);
    }
    setSource({ request: read.request, read });
  };

  const told = shown?.answer.extension?.["osteon.explanation"];
  const original = base?.answer.extension?.["osteon.explanation"]?.timeline;
  const moved: Moved | undefined = base && shown && shown !== base ? compared(base.answer, shown.answer) : undefined;
  return (
    <>
      {options.trust === "required" && <TrustNotice />}
      <form class="choices panel" aria-label="Patient and setting" onSubmit={(event) => event.preventDefault()}>
        <label class="wide">
          Patient
          <select name="patient" value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
            {options.samples.map((one) => (
              <option key={one.name} value={one.name}>
                {one.title}
              </option>
            ))}
            <option value={PASTED}>Paste a Bundle or a request …</option>
          </select>
        </label>
        <label>
          Guideline profile
          <select name="profile" value={profile} onChange={(event) => setProfile(event.currentTarget.value)}>
            {options.profiles.map((one) => (
              <option key={one} value={one}>
                {PROFILES[one] ?? one}
              </option>
            ))}
          </select>
        </label>
        <label>
          Language of the cards
          <select name="language" value={language} onChange={(event) => setLanguage(event.currentTarget.value)}>
            {options.languages.map((one) => (
              <option key={one} value={one} lang={one}>
                {LANGUAGES[one] ?? one}
              </option>
            ))}
          </select>
        </label>
        <label>
          Moment (hook)
          <select name="hook" value={hook} onChange={(event) => setHook(event.currentTarget.value)}>
            {options.services.map((one) => (
              <option key={one.id} value={one.hook}>
                {HOOKS[one.hook] ?? one.title} ({one.hook})
              </option>
            ))}
          </select>
        </label>
        {chosen === PASTED && (
          <div class="paste">
            <label>
              FHIR Bundle or CDS Hooks request (JSON)
              <textarea
                class="code"
                name="pasted"
                rows={10}
                spellcheck={false}
                autocomplete="off"
                value={text}
                aria-invalid={Boolean(problem)}
                onInput={(event) => setText(event.currentTarget.value)}
              />
            </label>
            <label class="check">
              <input type="checkbox" checked={whole} onChange={(event) => setWhole(event.currentTarget.checked)} />
              The Bundle is the whole record: what is not in it counts as not on record
            </label>
            <p>
              <button type="button" class="primary" onClick={readText}>
                Show the cards
              </button>{" "}
              <span class="small soft">It goes to this service alone and is not kept.</span>
            </p>
          </div>
        )}
      </form>
      {problem && <ProblemView problem={problem} />}
      <p class="hidden" role="status">
        {busy ? "Asking the service" : shown ? counted(shown.answer.cards.length, "card") : ""}
      </p>
      {shown && told && (
        <>
          <nav class="contents" aria-label="On this page">
            <ul>
              <li>
                <a href="#cards">Cards ({shown.answer.cards.length})</a>
              </li>
              <li>
                <a href="#story">Bone story</a>
              </li>
              <li>
                <a href="#what-if">What if</a>
              </li>
              <li>
                <a href="#recommendations">Recommendations</a>
              </li>
              <li>
                <a href="#not-understood">Not understood</a>
              </li>
              <li>
                <a href="#raw">Request and response</a>
              </li>
            </ul>
          </nav>
          <div class="columns">
            <section id="cards" aria-labelledby="cards-title">
              <h2 id="cards-title">
                Cards <span class="soft">{shown.answer.cards.length}</span>
              </h2>
              <Cards cards={shown.answer.cards} lang={shown.language} moves={moved?.moves ?? new Map()} busy={busy} />
            </section>
            <div class="beside">
              <section id="story" class="panel" aria-labelledby="story-title">
                <h2 id="story-title">Bone story</h2>
                <BoneStory told={told} lang={shown.language} />
              </section>
              {original && (
                <section id="what-if" class="panel" aria-labelledby="what-if-title">
                  <h2 id="what-if-title">What if</h2>
                  <WhatIf changes={changes} onChange={setChanges} timeline={original} moved={moved} lang={shown.language} />
                </section>
              )}
            </div>
          </div>
          <section id="recommendations" class="panel" aria-labelledby="recommendations-title">
            <h2 id="recommendations-title">Recommendations of the profile</h2>
            <Recommendations told={told} lang={shown.language} />
          </section>
          <section id="not-understood" class="panel" aria-labelledby="not-understood-title">
            <h2 id="not-understood-title">What was not understood or not used</h2>
            <NotUnderstood told={told} />
          </section>
          <section id="raw" class="panel" aria-labelledby="raw-title">
            <h2 id="raw-title">Request and response</h2>
            <Raw request={shown.request} answer={shown.answer} service={options.services.find((one) => one.hook === shown.request.hook)?.id ?? ""} />
          </section>
          <p class="small soft">Knowledge {told.knowledge}</p>
        </>
      )}
    </>
  );
}

/** What the service refuses, with the place in the pasted text where the service names one. */
function placed(refusal: Refusal, read: Read | undefined): Problem {
  const place = read && refusal.expression ? locate(read, refusal.expression) : undefined;
  return { ...refusal, ...place, reason: refusal.expression ? `${refusal.reason} (at ${refusal.expression})` : refusal.reason };
}

function ProblemView({ problem }: { problem: Problem }) {
  return (
    <div class="notice error problem" role="alert">
      <p>
        <strong>{problem.title}.</strong>{" "}
        {problem.line !== undefined && (
          <>
            Line {problem.line}, column {problem.column}:{" "}
          </>
        )}
        {problem.reason}.
      </p>
      {problem.excerpt && <pre tabIndex={0}>{problem.excerpt}</pre>}
      {problem.hint && <p class="small">{problem.hint}</p>}
    </div>
  );
}

function TrustNotice() {
  return (
    <div class="notice">
      <p>
        <strong>This service answers trusted clients only</strong> (<code>OSTEON_TRUST=required</code>): each call needs a signed token, and
        this page has none, so it shows no cards here. For a demonstration start a service on your own machine with{" "}
        <code>osteon demo --serve</code>: it answers callers on the same machine (<code>OSTEON_TRUST=loopback</code>, the default).
      </p>
    </div>
  );
}
