// Reads what a person has pasted: a CDS Hooks request, a FHIR Bundle, or a single resource. What is wrong is said with
// its line. Nothing is mended here: what the service refuses, the service says.
import { type Node, type ParseError, findNodeAtLocation, parseTree, printParseErrorCode } from "jsonc-parser";
import type { HookRequest, Json, JsonObject, Problem } from "./types";

const STRICT = { disallowComments: true, allowTrailingComma: false };

const REASONS: Record<string, string> = {
  InvalidSymbol: "this is no JSON value (a quotation mark may be missing)",
  InvalidNumberFormat: "this is no JSON number",
  PropertyNameExpected: 'the name of a member is expected here, in "quotation marks"',
  ValueExpected: "a value is expected here",
  ColonExpected: "a colon is expected here",
  CommaExpected: "a comma is expected here",
  CloseBraceExpected: "a closing brace } is expected here",
  CloseBracketExpected: "a closing bracket ] is expected here",
  EndOfFileExpected: "the text should end here: something stands behind the JSON value",
  InvalidCommentToken: "JSON has no comments",
  UnexpectedEndOfComment: "JSON has no comments",
  UnexpectedEndOfString: "the text in quotation marks does not end",
  UnexpectedEndOfNumber: "the number does not end",
  InvalidUnicode: "this is no valid \\u escape",
  InvalidEscapeCharacter: "this is no valid escape in a JSON text",
  InvalidCharacter: "this character is not allowed in a JSON text",
};

/** A place in the text, for people: the first line and column are 1. */
export function placeOf(text: string, offset: number): { line: number; column: number; excerpt: string } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - (before.lastIndexOf("\n") + 1) + 1;
  const whole = text.split("\n")[line - 1] ?? "";
  const from = Math.max(0, column - 40);
  return { line, column, excerpt: whole.slice(from, from + 80).trim() };
}

/** A member that stands twice in one object: which of the two counts differs between readers. */
function repeated(node: Node): Node | undefined {
  if (node.type === "object") {
    const seen = new Set<string>();
    for (const property of node.children ?? []) {
      const name = property.children?.[0];
      if (name && seen.has(String(name.value))) return name;
      if (name) seen.add(String(name.value));
    }
  }
  for (const child of node.children ?? []) {
    const found = repeated(child);
    if (found) return found;
  }
  return undefined;
}

export interface Parsed {
  text: string;
  tree: Node;
  value: Json;
}

/** Parse a text, or say what is wrong with it and where. */
export function parse(text: string): Parsed | Problem {
  if (!text.trim()) return { title: "Nothing was pasted", reason: "Paste a FHIR Bundle or a CDS Hooks request as JSON." };
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, STRICT);
  const [first] = errors;
  if (first || !tree) {
    const code = first ? printParseErrorCode(first.error) : "ValueExpected";
    return {
      title: "This is not JSON",
      reason: REASONS[code] ?? code,
      ...placeOf(text, first?.offset ?? 0),
    };
  }
  const twice = repeated(tree);
  if (twice) {
    return {
      title: "A member stands twice",
      reason: `"${String(twice.value)}" stands twice in one object: only one of them would be read`,
      ...placeOf(text, twice.offset),
    };
  }
  return { text, tree, value: JSON.parse(text) as Json };
}

const PREFETCH: Record<string, string> = {
  Observation: "observations",
  MedicationStatement: "medications",
  MedicationRequest: "medicationRequests",
  MedicationAdministration: "medicationAdministrations",
  Condition: "conditions",
  Procedure: "procedures",
  FamilyMemberHistory: "familyHistory",
  AllergyIntolerance: "allergies",
  DiagnosticReport: "diagnosticReports",
  ServiceRequest: "serviceRequests",
};

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function at(parsed: Parsed, path: (string | number)[]): { line: number; column: number; excerpt: string } {
  const node = findNodeAtLocation(parsed.tree, path) ?? parsed.tree;
  return placeOf(parsed.text, node.offset);
}

export interface Read {
  request: HookRequest;
  kind: "request" | "Bundle";
  parsed: Parsed;
}

/** A request from what was parsed. `hook`: for a Bundle, which has none. `whole`: the Bundle is the whole record. */
export function requestOf(parsed: Parsed, hook: string, whole: boolean): Read | Problem {
  const { value } = parsed;
  if (!isObject(value)) {
    return { title: "This is no request", reason: "the outermost value must be an object", ...at(parsed, []) };
  }
  if (value.resourceType === "Bundle") return fromBundle(parsed, value, hook, whole);
  if (typeof value.resourceType === "string") {
    return {
      title: "A single resource says too little",
      reason: `this is one ${value.resourceType}; paste a Bundle that holds the Patient and the other records`,
      ...at(parsed, ["resourceType"]),
    };
  }
  if (typeof value.hook !== "string") {
    return {
      title: "This is no request",
      reason: 'there is neither "hook" (a CDS Hooks request) nor "resourceType": "Bundle"',
      ...at(parsed, []),
    };
  }
  if (!isObject(value.context)) {
    return { title: "The request is incomplete", reason: '"context" must be an object', ...at(parsed, ["context"]) };
  }
  return { request: value as HookRequest, kind: "request", parsed };
}

interface Entry {
  resource: JsonObject;
  path: (string | number)[];
}

function entriesOf(bundle: JsonObject, path: (string | number)[]): Entry[] {
  const entries = Array.isArray(bundle.entry) ? bundle.entry : [];
  return entries.flatMap((entry, number) => {
    const resource = isObject(entry) ? entry.resource : undefined;
    const here = [...path, "entry", number, "resource"];
    if (!isObject(resource)) return [];
    return resource.resourceType === "Bundle" ? entriesOf(resource, here) : [{ resource, path: here }];
  });
}

function fromBundle(parsed: Parsed, bundle: JsonObject, hook: string, whole: boolean): Read | Problem {
  const entries = entriesOf(bundle, []);
  const patients = entries.filter(({ resource }) => resource.resourceType === "Patient");
  const [patient, second] = patients;
  if (!patient) {
    return { title: "There is no Patient", reason: "the Bundle has no Patient resource in its entries", ...at(parsed, ["entry"]) };
  }
  if (second) {
    return {
      title: "There are several patients",
      reason: `the Bundle has ${patients.length} Patient resources; the second one begins here`,
      ...at(parsed, second.path),
    };
  }
  if (typeof patient.resource.id !== "string") {
    return { title: "The Patient has no id", reason: "other records refer to the Patient by its id", ...at(parsed, patient.path) };
  }
  const prefetch: JsonObject = { patient: patient.resource };
  // null says "looked and found nothing". That is known only where the Bundle is the whole record.
  if (whole) for (const key of Object.values(PREFETCH)) prefetch[key] = null;
  const drafts: JsonObject[] = [];
  const others: JsonObject[] = [];
  for (const { resource } of entries) {
    const type = String(resource.resourceType);
    if (type === "Patient") continue;
    if (resource.status === "draft" && (type === "MedicationRequest" || type === "ServiceRequest")) drafts.push(resource);
    else if (PREFETCH[type]) addTo(prefetch, PREFETCH[type], resource);
    else others.push(resource);
  }
  // Medications and other referenced resources go where every reference finds them.
  for (const resource of others) addTo(prefetch, "medicationRequests", resource);
  const request: HookRequest = {
    hook,
    hookInstance: newId(),
    context: { userId: "Practitioner/example", patientId: patient.resource.id, encounterId: "example" },
    prefetch,
  };
  return { request: withHook(request, hook, drafts), kind: "Bundle", parsed };
}

function addTo(prefetch: JsonObject, key: string, resource: JsonObject): void {
  const found = prefetch[key];
  const bundle = isObject(found) ? found : { resourceType: "Bundle", type: "searchset", entry: [] };
  (bundle.entry as Json[]).push({ resource });
  prefetch[key] = bundle;
}

/** The request for another hook: what that hook needs in its context is taken from the drafts and the records. */
export function withHook(request: HookRequest, hook: string, drafts: JsonObject[] = draftsOf(request)): HookRequest {
  const { draftOrders: _, medications: __, selections: ___, conditions: ____, allergyIntolerance: _____, ...kept } = request.context;
  const context: JsonObject = { ...kept };
  context.userId ??= "Practitioner/example";
  context.encounterId ??= "example";
  const orders: JsonObject = { resourceType: "Bundle", type: "collection", entry: drafts.map((resource) => ({ resource })) };
  if (hook === "order-select" || hook === "order-sign") context.draftOrders = orders;
  if (hook === "order-select") context.selections = drafts.map((one) => `${String(one.resourceType)}/${String(one.id)}`);
  if (hook === "medication-refill") context.medications = orders;
  if (hook === "problem-list-item-create") {
    const conditions = resourcesOf(request, "conditions").slice(0, 1);
    context.conditions = { resourceType: "Bundle", type: "collection", entry: conditions.map((resource) => ({ resource })) };
  }
  if (hook === "allergyintolerance-create") {
    const [first] = resourcesOf(request, "allergies");
    if (first) context.allergyIntolerance = first;
  }
  return { ...request, hook, context };
}

function draftsOf(request: HookRequest): JsonObject[] {
  const found = request.context.draftOrders ?? request.context.medications;
  return isObject(found) ? entriesOf(found, []).map(({ resource }) => resource) : [];
}

function resourcesOf(request: HookRequest, key: string): JsonObject[] {
  const prefetch = request.prefetch;
  const bundle = isObject(prefetch) ? prefetch[key] : undefined;
  return isObject(bundle) ? entriesOf(bundle, []).map(({ resource }) => resource) : [];
}

/** The request with the choices of the page, and with the whole explanation asked for. */
export function configured(request: HookRequest, profile: string, language: string): HookRequest {
  const extension = isObject(request.extension) ? request.extension : {};
  const asked = isObject(extension["osteon.configuration"]) ? extension["osteon.configuration"] : {};
  return {
    ...request,
    hookInstance: newId(),
    extension: { ...extension, "osteon.configuration": { ...asked, profile, language, explain: true } },
  };
}

/** The place of an expression of the service ("prefetch.patient", "context.draftOrders.entry[0]") in what was pasted. */
export function locate(read: Read, expression: string): { line: number; column: number; excerpt: string } | undefined {
  if (read.kind !== "request") return undefined;
  const steps = [...expression.matchAll(/\['([^']+)'\]|\[(\d+)\]|([^.[\]]+)/g)].map((match) =>
    match[2] === undefined ? (match[1] ?? match[3] ?? "") : Number(match[2]),
  );
  for (let length = steps.length; length > 0; length -= 1) {
    const node = findNodeAtLocation(read.parsed.tree, steps.slice(0, length));
    if (node) return placeOf(read.parsed.text, node.offset);
  }
  return undefined;
}

export function newId(): string {
  // crypto.randomUUID is there in secure contexts only; the page is also served by http on other hosts.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
