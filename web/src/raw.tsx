// Request and response to read and to copy.
import { useState } from "preact/hooks";
import type { Answer, HookRequest } from "./types";

export function Raw({ request, answer, service }: { request: HookRequest; answer?: Answer; service: string }) {
  const address = new URL(`./cds-services/${service}`, document.baseURI).href;
  return (
    <div class="raw">
      <Block title={`Request: POST ${address}`} text={JSON.stringify(request, null, 2)} name="request" />
      {answer && <Block title="Response" text={JSON.stringify(answer, null, 2)} name="response" />}
    </div>
  );
}

function Block({ title, text, name }: { title: string; text: string; name: string }) {
  const [said, setSaid] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid(`The ${name} is in the clipboard.`);
    } catch {
      // Browsers give the clipboard to secure pages only (https or this machine).
      setSaid("The browser does not allow to copy from this page: select the text and copy it.");
    }
  };
  return (
    <section>
      <h3>{title}</h3>
      <p>
        <button type="button" onClick={copy}>
          Copy the {name}
        </button>{" "}
        <span class="small soft">{(text.length / 1024).toFixed(0)} kB</span>{" "}
        <span role="status" class="small">
          {said}
        </span>
      </p>
      <pre tabIndex={0} aria-label={title}>
        {text}
      </pre>
    </section>
  );
}
