// A user's session with the published client, as an application's page would have it.
// Reads {client, base, project, token, other, expired, workflows} from its argument; prints what
// each step gave, as one JSON object.

import { createRequire } from "node:module";
import { browser } from "./browser.mjs";

const given = JSON.parse(process.argv[2]);
const store = browser();
console.warn = console.error = () => {};
const { paragon } = createRequire(given.client)("@useparagon/connect");

const calls = [];
const fetched = globalThis.fetch;
globalThis.fetch = window.fetch = async (url, init = {}) => {
  const answer = await fetched(url, init);
  calls.push(`${init.method ?? "GET"} ${new URL(url).pathname} ${answer.status}`);
  return answer;
};

const base = given.base;
const addresses = Object.fromEntries(
  ["CONNECT", "DASHBOARD", "CDN", "ZEUS", "HERMES", "WORKER_PROXY", "API_TRIGGER_KIT", "PASSPORT"]
    .map((name) => [`${name}_PUBLIC_URL`, base]),
);
paragon.configureGlobal({ host: "127.0.0.1" }, { ...addresses, PASSPORT_PRODUCTION_URL: base });

const seen = {};
async function step(name, act) {
  try {
    seen[name] = (await act()) ?? null;
  } catch (error) {
    seen[name] = { thrown: String(error?.message ?? error) };
  }
}

// A form instead of a popup: what an account is connected with is pasted.
function install(type, values) {
  return new Promise((resolve, reject) => {
    paragon.setHeadless(true);
    paragon.installFlow.start(type, {
      onNext: (next) => {
        if (next.stage === "preOptions") {
          seen[`${type} asks`] = next.options.map((option) => option.id);
          next.setPreOptions ? next.setPreOptions(values) : paragon.installFlow.setPreOptions(values);
        } else {
          reject(new Error(`a stage that nobody expects: ${next.stage}`));
        }
      },
      onComplete: resolve,
      onError: reject,
    });
  });
}

const { answer, accept, strict, asking } = given.workflows;
await step("before", () => paragon.getUser());
await step("authenticate", () =>
  paragon.authenticate(given.project, given.token, { metadata: { name: "Anna", plan: "gold" } }));
await step("user", () => paragon.getUser());
await step("metadata", () => paragon.getIntegrationMetadata().map((one) => one.type));
await step("workflow before", () => paragon.workflow(answer, { body: { n: 1 } }));
await step("install", async () => (await install(given.integration, given.values)).credential.status);
await step("installed", () => paragon.getUser().integrations[given.integration]);
await step("event", () => paragon.event("Order Placed", { id: "order-1", amount: 3 }));
await step("unknown event", () => paragon.event("Nothing Such", {}));
await step("workflow", () =>
  paragon.workflow(answer, { body: { n: 2 }, query: { page: "7" }, headers: { "X-Source": "app" } }));
await step("accepted", () => paragon.workflow(accept, {}));
await step("refused", () => paragon.workflow(strict, { body: {} }));
await step("still in", () => paragon.getUser().authenticated);
await step("disable", () => paragon.disableWorkflow(answer));
await step("disabled", () => paragon.workflow(answer, { body: { n: 3 } }));
await step("enable", () => paragon.enableWorkflow(answer));
await step("enabled", () => paragon.workflow(answer, { body: { n: 4 } }));
await step("set metadata", async () => (await paragon.setUserMetadata({ seats: 5 })).meta);
const desk = () => paragon.getUser().integrations[given.integration];
await step("inputs", () => {
  const config = paragon.getIntegrationConfig(given.integration);
  const own = config.availableWorkflows.find((workflow) => workflow.id === asking).inputs;
  return [config.availableUserSettings, own].map((all) => all.map((one) => one.id));
});
await step("enable early", () => paragon.enableWorkflow(asking));
await step("set shared", async () =>
  (await paragon.updateIntegrationUserSettings(given.integration, { channel: "C1" })).errors);
await step("set wrong", () => paragon.updateIntegrationUserSettings(given.integration, { level: "x" }));
await step("set own", async () =>
  (await paragon.updateWorkflowUserSettings(given.integration, asking, { list: "L7" })).errors);
await step("set", () => ({ shared: desk().sharedSettings, own: desk().workflowSettings[asking] }));
await step("enable asking", () => paragon.enableWorkflow(asking));
await step("asked", () => paragon.workflow(asking, { body: {} }));
await step("uninstall", () => paragon.uninstallIntegration(given.integration));
await step("uninstalled", () => paragon.getUser().integrations[given.integration].enabled);
await step("again", () => paragon.authenticate(given.project, given.token));
await step("nothing left", () => paragon.getUser().integrations[given.integration].allCredentials);
store.clear();
await step("forged", () => paragon.authenticate(given.project, given.forged));
await step("out", () => paragon.getUser());
console.log(JSON.stringify({ seen, calls }));
process.exit(0);
