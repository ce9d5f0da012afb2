// What was not understood or not used.
import type { Explanation } from "./types";
import { counted } from "./words";

export function NotUnderstood({ told }: { told: Explanation }) {
  const values = told.notUnderstood?.values ?? [];
  const codes = told.notUnderstood?.codes ?? [];
  const known = new Set(values.map((one) => one.resource));
  const unused = (told.notUsed ?? []).filter((one) => !one.resource || !known.has(one.resource));
  if (!values.length && !codes.length && !unused.length && !told.missing && !told.leftOut) {
    return <p>Everything that was sent was read.</p>;
  }
  return (
    <>
      {(values.length > 0 || unused.length > 0) && (
        <div class="scroll" tabIndex={0} role="group" aria-label="Records that were not used">
          <table>
            <caption>Records that were not used</caption>
            <thead>
              <tr>
                <th scope="col">Record</th>
                <th scope="col">As sent</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {values.map((one, number) => (
                <tr key={`v${number}`}>
                  <td>
                    <code>{one.resource}</code>
                  </td>
                  <td>{one.shown}</td>
                  <td>{one.reason}</td>
                </tr>
              ))}
              {unused.map((one, number) => (
                <tr key={`u${number}`}>
                  <td>{one.resource ? <code>{one.resource}</code> : counted(one.count ?? 1, "record")}</td>
                  <td />
                  <td>{one.reason}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {codes.length > 0 && (
        <div class="scroll" tabIndex={0} role="group" aria-label="Codes that the service does not know">
          <table>
            <caption>Codes that the service does not know (most have nothing to do with bone)</caption>
            <thead>
              <tr>
                <th scope="col">Kind</th>
                <th scope="col">Code system</th>
                <th scope="col">Codes</th>
              </tr>
            </thead>
            <tbody>
              {codes.map((one) => (
                <tr key={`${one.kind} ${one.system}`}>
                  <td>{one.kind}</td>
                  <td>{one.system}</td>
                  <td>{one.count}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {told.missing && (
        <p>
          <strong>Not sent, and could have given another card:</strong> {told.missing.join(", ")}
        </p>
      )}
      {told.leftOut && (
        <p>
          <strong>Left out because fewer cards were asked for:</strong> {told.leftOut.join(", ")}
        </p>
      )}
    </>
  );
}
