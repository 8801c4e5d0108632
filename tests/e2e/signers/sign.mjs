// Webhooks as the providers' own libraries sign them, and as others would like to. Each is judged by
// the library too. Prints one JSON array: { scheme, case, path, headers, body, good }.

import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";

const given = JSON.parse(process.argv[2]);
const require = createRequire(join(given.tools, "index.js"));
const octokit = await import(join(given.tools, "node_modules/@octokit/webhooks-methods/dist-node/index.js"));
const Stripe = require("stripe");
const { Webhook } = require("standardwebhooks");
const twilio = require("twilio");
const { verifySlackRequest } = require("@slack/bolt");

const stripe = new Stripe("sk_test_0");
const now = Math.floor(Date.now() / 1000);
const cases = [];

// As it was written, and the same after somebody has read and written it.
const spaced = (value) => JSON.stringify(value, null, 1);
const again = (body) => JSON.stringify(JSON.parse(body));
const flipped = (body) => body.replace(/[0-9](?=[^0-9]*$)/, (digit) => (digit === "1" ? "2" : "1"));

async function add(scheme, name, headers, body, good, judge, path = "") {
  const accepted = judge ? await judge(headers, body) : good;
  if (accepted !== good) throw new Error(`${scheme} ${name}: its own library says ${accepted}`);
  cases.push({ scheme, case: name, path, headers, body, good });
}

async function believes(check) {
  try {
    return (await check()) !== false;
  } catch {
    return false;
  }
}

// What everybody tries: `sign` gives headers for a body, a secret and a time.
async function attempts(scheme, body, sign, judge, signature) {
  const good = await sign(body, given.secrets[scheme], now);
  const without = { ...good };
  delete without[signature];
  await add(scheme, "good", good, body, true, judge);
  await add(scheme, "replayed", good, body, true, judge);
  await add(scheme, "one byte", good, flipped(body), false, judge);
  await add(scheme, "re-encoded", good, again(body), false, judge);
  await add(scheme, "missing header", without, body, false, judge);
  await add(scheme, "wrong secret", await sign(body, given.others[scheme], now), body, false, judge);
  return good;
}

{
  const scheme = "github";
  const body = spaced({ action: "opened", installation: { id: 7 }, n: 1 });
  const rest = { "x-github-event": "issues", "x-github-delivery": "github-1" };
  const sign = async (body, secret) => ({ ...rest, "x-hub-signature-256": await octokit.sign(secret, body) });
  const judge = (headers, body) =>
    believes(() => octokit.verify(given.secrets[scheme], body, headers["x-hub-signature-256"]));
  const good = await attempts(scheme, body, sign, judge, "x-hub-signature-256");
  const hex = good["x-hub-signature-256"].slice("sha256=".length);
  const upper = { ...good, "x-hub-signature-256": `sha256=${hex.toUpperCase()}` };
  await add(scheme, "upper-case hex", upper, body, false, judge);
  const sha1 = createHmac("sha1", given.secrets[scheme]).update(body).digest("hex");
  await add(scheme, "second signature only", { ...rest, "x-hub-signature": `sha1=${sha1}` }, body, false);
}

{
  const scheme = "stripe";
  const body = spaced({ id: "evt_1", type: "invoice.paid", account: "7", n: 1 });
  const sign = (payload, secret, timestamp, scheme) => ({
    "stripe-signature": stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp, scheme }),
  });
  const judge = (headers, body) =>
    believes(() => stripe.webhooks.constructEvent(body, headers["stripe-signature"], given.secrets[scheme]));
  const good = await attempts(scheme, body, sign, judge, "stripe-signature");
  await add(scheme, "stale", sign(body, given.secrets[scheme], now - 400), body, false, judge);
  const second = sign(body, given.secrets[scheme], now, "v0");
  await add(scheme, "second signature only", second, body, false, judge);
  const upper = good["stripe-signature"].replace(/v1=(.*)/, (_, hex) => `v1=${hex.toUpperCase()}`);
  await add(scheme, "upper-case hex", { "stripe-signature": upper }, body, false, judge);
}

{
  const scheme = "standard";
  const body = spaced({ type: "order.paid", account: "7", n: 1 });
  const sign = (body, secret, at) => ({
    "webhook-id": "msg_1",
    "webhook-timestamp": String(at),
    "webhook-signature": new Webhook(secret).sign("msg_1", new Date(at * 1000), body),
  });
  const judge = (headers, body) => believes(() => new Webhook(given.secrets[scheme]).verify(body, headers) || true);
  const good = await attempts(scheme, body, sign, judge, "webhook-signature");
  await add(scheme, "stale", sign(body, given.secrets[scheme], now - 400), body, false, judge);
  const second = { ...good, "webhook-signature": good["webhook-signature"].replace("v1,", "v1a,") };
  await add(scheme, "second signature only", second, body, false, judge);
}

{
  const scheme = "slack";
  const body = spaced({ type: "event_callback", team_id: "7", event_id: "Ev1", event: { type: "app_mention" }, n: 1 });
  const sign = (body, secret, at) => ({
    "x-slack-request-timestamp": String(at),
    "x-slack-signature": `v0=${createHmac("sha256", secret).update(`v0:${at}:${body}`).digest("hex")}`,
  });
  const judge = (headers, body) =>
    believes(() => verifySlackRequest({ signingSecret: given.secrets[scheme], body, headers }) ?? true);
  const good = await attempts(scheme, body, sign, judge, "x-slack-signature");
  await add(scheme, "stale", sign(body, given.secrets[scheme], now - 400), body, false, judge);
  const upper = good["x-slack-signature"].replace(/v0=(.*)/, (_, hex) => `v0=${hex.toUpperCase()}`);
  await add(scheme, "upper-case hex", { ...good, "x-slack-signature": upper }, body, false, judge);
}

{
  const scheme = "twilio";
  const secret = given.secrets[scheme];
  const url = `${given.base}/custom.twilio`;
  const fields = { AccountSid: "7", Body: "hello & good day", From: "+15550001" };
  const form = (fields) => new URLSearchParams(fields).toString();
  const type = { "content-type": "application/x-www-form-urlencoded", "i-twilio-idempotency-token": "twilio-1" };
  const sign = (secret) => ({ ...type, "x-twilio-signature": twilio.getExpectedTwilioSignature(secret, url, fields) });
  const judge = (headers, body) => {
    const sent = Object.fromEntries(new URLSearchParams(body));
    return believes(() => twilio.validateRequest(secret, headers["x-twilio-signature"] ?? "", url, sent));
  };
  await add(scheme, "good", sign(secret), form(fields), true, judge);
  await add(scheme, "replayed", sign(secret), form(fields), true, judge);
  await add(scheme, "one byte", sign(secret), form({ ...fields, From: "+15550002" }), false, judge);
  await add(scheme, "missing header", type, form(fields), false, judge);
  await add(scheme, "wrong secret", sign(given.others[scheme]), form(fields), false, judge);
  const json = '{"AccountSid":"7"}';
  const hashed = `?bodySHA256=${twilio.getExpectedBodyHash(json)}`;
  const signed = twilio.getExpectedTwilioSignature(secret, url + hashed, {});
  const headers = { "content-type": "application/json", "x-twilio-signature": signed, "i-twilio-idempotency-token": "twilio-2" };
  const asJson = (headers, body) =>
    believes(() => twilio.validateRequestWithBody(secret, headers["x-twilio-signature"], url + hashed, body));
  await add(scheme, "good, by the hash of its body", headers, json, true, asJson, hashed);
  await add(scheme, "another body", headers, '{"AccountSid":"8"}', false, asJson, hashed);
}

console.log(JSON.stringify(cases));
