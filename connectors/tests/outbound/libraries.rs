//! Every library by its key, and the way out that some of them use.

use super::functions::{MANY, call, failed};
use super::server::{Names, Server, answer, client, local};
use connectors::sandbox::{Call, Fault, Options, Sandbox, Tenant};
use domain::id::ProjectId;
use domain::workflow::libraries::{LIBRARIES, Source};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

fn sandbox() -> Sandbox {
    Sandbox::new(Options { threads: 1, threads_max: 1, ..Options::default() }).sending(local())
}

fn with(code: &str, parameters: &Value) -> Call {
    Call { parameters: parameters.to_string(), ..call(code) }
}

/// One call of each library: its key, the body of a function, what comes out. `url` is a server
/// that answers with what it was asked.
const CALLS: &[(&str, &str, &str)] = &[
    ("Buffer", "return libraries.Buffer.from('caf\\u00e9').toString('base64')", r#""Y2Fmw6k=""#),
    (
        "FormData",
        "const f = new libraries.FormData(); f.append('a', 'b'); return f.getBuffer().toString().includes('name=\"a\"\\r\\n\\r\\nb\\r\\n')",
        "true",
    ),
    (
        "Mailgun",
        "const m = new libraries.Mailgun(libraries.FormData).client({ username: 'api', key: 'k', url: p.url }); return (await m.messages.create('example.com', { from: 'a@example.com', to: 'b@example.com', text: 'x' })).status",
        "200",
    ),
    (
        "archiver",
        "const z = libraries.archiver('zip'); const parts = []; z.on('data', (d) => parts.push(d)); z.append('hello', { name: 'a.txt' }); await z.finalize(); const d = await libraries.unzipper.Open.buffer(libraries.Buffer.concat(parts)); return [d.files[0].path, (await d.files[0].buffer()).toString()]",
        r#"["a.txt","hello"]"#,
    ),
    (
        "bluebird",
        "return await libraries.bluebird.map([1, 2, 3], async (n) => n * 2, { concurrency: 2 })",
        "[2,4,6]",
    ),
    (
        "cheerio",
        "const $ = libraries.cheerio.load('<ul><li>a</li><li class=x>b</li></ul>'); return $('li.x').text()",
        r#""b""#,
    ),
    (
        "cloudflare",
        "const c = new libraries.cloudflare({ apiToken: 't', baseURL: p.url }); return (await c.get('/zones')).path",
        r#""/zones""#,
    ),
    (
        "crypto",
        "return libraries.crypto.createHash('sha256').update('a').digest('hex').slice(0, 16)",
        r#""ca978112ca1bbdca""#,
    ),
    (
        "cryptr",
        "const c = new libraries.cryptr('secret', { pbkdf2Iterations: 10 }); return c.decrypt(c.encrypt('text'))",
        r#""text""#,
    ),
    (
        "csv",
        "return await new Promise((done, fail) => libraries.csv.parse('a,b\\n1,2', { columns: true }, (e, rows) => e ? fail(e) : done(rows)))",
        r#"[{"a":"1","b":"2"}]"#,
    ),
    (
        "csv/lib/sync",
        "return libraries['csv/lib/sync'].stringify([[1, 'a,b']])",
        r#""1,\"a,b\"\n""#,
    ),
    (
        "dateFns",
        "return libraries.dateFns.format(libraries.dateFns.addDays(new Date(2020, 1, 28), 1), 'yyyy-MM-dd')",
        r#""2020-02-29""#,
    ),
    (
        "fast-xml-parser",
        "return new libraries['fast-xml-parser'].XMLParser().parse('<a><b>1</b></a>')",
        r#"{"a":{"b":1}}"#,
    ),
    (
        "fetch",
        "const r = await libraries.fetch(p.url + '/x', { method: 'POST', body: 'hi' }); return [r.status, (await r.json()).body]",
        r#"[200,"hi"]"#,
    ),
    (
        "fuse.js",
        "return new libraries['fuse.js'](['apple', 'pear']).search('aple')[0].item",
        r#""apple""#,
    ),
    (
        "https",
        "return await new Promise((done, fail) => libraries.https.get(p.url.replace('http:', 'https:'), done).on('error', (e) => done(e.code)))",
        r#""TLS_FAILED""#,
    ),
    (
        "jsforce",
        "const c = new libraries.jsforce.Connection({ instanceUrl: p.url, accessToken: 't', version: '58.0' }); return (await c.request('/services/data')).path",
        r#""/services/data""#,
    ),
    (
        "jsonwebtoken",
        "const j = libraries.jsonwebtoken; return j.verify(j.sign({ sub: 'u' }, 'k', { noTimestamp: true }), 'k')",
        r#"{"sub":"u"}"#,
    ),
    (
        "libphonenumber",
        "return libraries.libphonenumber.parsePhoneNumber('+12133734253').formatNational()",
        r#""(213) 373-4253""#,
    ),
    ("lodash", "return libraries.lodash.chunk([1, 2, 3], 2)", "[[1,2],[3]]"),
    ("lodash/fp", "return libraries['lodash/fp'].map((n) => n + 1)([1, 2])", "[2,3]"),
    ("mime", "return libraries.mime.getType('a.json')", r#""application/json""#),
    (
        "moment",
        "return libraries.moment.utc(0).add(1, 'day').format('YYYY-MM-DD')",
        r#""1970-01-02""#,
    ),
    (
        "node-fetch",
        "return await (await libraries['node-fetch'](p.url + '/y')).json().then((a) => a.path)",
        r#""/y""#,
    ),
    ("numberToWords", "return libraries.numberToWords.toWords(13)", r#""thirteen""#),
    (
        "oauth",
        "const o = new libraries.oauth.OAuth2('id', 'secret', p.url); return await new Promise((done) => o.get(p.url + '/me', 't', (e, body) => done(JSON.parse(body).path)))",
        r#""/me?access_token=t""#,
    ),
    ("ramda", "return libraries.ramda.pipe(libraries.ramda.inc, libraries.ramda.negate)(1)", "-2"),
    (
        "sendgrid",
        "const s = libraries.sendgrid; s.setApiKey('SG.k'); s.client.setDefaultRequest('baseUrl', p.url); const [r] = await s.send({ to: 'a@example.com', from: 'b@example.com', subject: 's', text: 't' }); return r.body.path",
        r#""/v3/mail/send""#,
    ),
    ("sendpulse", "return typeof libraries.sendpulse.init", r#""function""#),
    ("slack", "return typeof libraries.slack.chat.postMessage", r#""function""#),
    (
        "throttle",
        "return await libraries.throttle.all([1, 2].map((n) => async () => n), { maxInProgress: 1 })",
        "[1,2]",
    ),
    (
        "twilio",
        "return libraries.twilio.validateRequest('t', 'x', 'https://example.com', {})",
        "false",
    ),
    ("underscore", "return libraries.underscore.uniq([1, 1, 2])", "[1,2]"),
    ("underscore.string", "return libraries['underscore.string'].capitalize('word')", r#""Word""#),
    ("unzipper", "return typeof libraries.unzipper.Open.buffer", r#""function""#),
    (
        "url",
        "const u = new libraries.url.URL('/b?c=1', 'https://example.com/a'); u.searchParams.append('d', '2 3'); return [u.href, libraries.url.parse('http://x.y:8/z').port]",
        r#"["https://example.com/b?c=1&d=2+3","8"]"#,
    ),
    ("uuid", "return libraries.uuid.validate(libraries.uuid.v4())", "true"),
];

#[tokio::test]
async fn every_library_is_reached_by_its_key() {
    let server = Server::start(|seen| {
        let body = String::from_utf8_lossy(&seen.body).into_owned();
        let told = json!({ "path": seen.path, "body": body }).to_string();
        answer(200, &[("content-type", "application/json")], told)
    })
    .await;
    let sandbox = sandbox();
    let mut wrong = Vec::new();
    for (key, body, expected) in CALLS {
        let code = format!("async function yourFunction(p, libraries) {{ {body} }}");
        let url = format!("http://127.0.0.1:{}", server.port);
        let result = sandbox.call(with(&code, &json!({ "url": url }))).await;
        if result != Ok(serde_json::from_str(expected).unwrap()) {
            wrong.push(format!("{key}: {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_library_that_there_is_is_called() {
    let there = LIBRARIES.iter().filter(|library| matches!(library.source, Source::Bundle(..)));
    let there: BTreeSet<&str> = there.map(|library| library.key).collect();
    assert_eq!(there, CALLS.iter().map(|(key, ..)| *key).collect());
}

/// Word for word from the seeds (workflows/advanced-techniques/triggering-workflows-in-workflows).
const SIGNS: &str = r#"function yourFunction(parameters, libraries) {

  // Import the jsonwebtoken library
  const { jsonwebtoken } = libraries;

  // Your Connected User's ID, taken from settings.userId
  const userId = parameters.userId;

  // Your Paragon Signing Key
  const key = parameters.signingKey.replaceAll("\\n", "\n");

  // Generate current timestamp
  const currentTime = Math.floor(Date.now() / 1000);

  // Generate your Paragon User Token
  return jsonwebtoken.sign(
      {
        sub: userId,
        iat: currentTime,
        exp: currentTime + (60 * 60), // 1 hour from now
      },
      key,
      {
        algorithm: "RS256",
      }
    )
}
"#;

#[tokio::test]
async fn the_seeds_sample_signs_a_token() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let signing_key = key.serialize_pem().replace('\n', "\\n");
    let parameters = json!({ "userId": "user-1", "signingKey": signing_key });
    let token = sandbox().call(with(SIGNS, &parameters)).await.unwrap();
    let public = jsonwebtoken::DecodingKey::from_rsa_pem(key.public_key_pem().as_bytes()).unwrap();
    let rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    let read = jsonwebtoken::decode::<Value>(token.as_str().unwrap(), &public, &rules).unwrap();
    assert_eq!(read.claims["sub"], "user-1");
    assert_eq!(read.claims["exp"].as_i64().unwrap() - read.claims["iat"].as_i64().unwrap(), 3600);
}

#[tokio::test]
async fn every_kind_of_token_is_signed_and_verified() {
    let sandbox = sandbox();
    let rsa = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let ec = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    for (algorithm, key) in [("RS512", &rsa), ("PS256", &rsa), ("ES256", &ec)] {
        let parameters = json!({ "algorithm": algorithm, "key": key.serialize_pem(), "public": key.public_key_pem() });
        let code = "function yourFunction(p, { jsonwebtoken, crypto }) {
            const token = jsonwebtoken.sign({ a: 1 }, p.key, { algorithm: p.algorithm });
            const derived = crypto.createPublicKey(p.key).export();
            const wrong = token.slice(0, -8) + 'AAAAAAAA';
            try { jsonwebtoken.verify(wrong, p.public); return 'taken' } catch {}
            return [derived.trim() === p.public.replaceAll('\\r', '').trim(), jsonwebtoken.verify(token, p.public).a];
        }";
        let result = sandbox.call(with(code, &parameters)).await;
        assert_eq!(result, Ok(json!([true, 1])), "{algorithm}");
    }
}

#[tokio::test]
async fn a_change_to_a_library_ends_with_the_call() {
    let sandbox = sandbox();
    let leave = "function yourFunction(p, { lodash, moment, fetch }) {
        lodash.merge({}, JSON.parse('{\"constructor\":{\"prototype\":{\"left\":1}}}'));
        Object.prototype.left = 1; lodash.chunk = () => 'left'; moment.fn.left = 1; fetch.left = 1; Buffer.left = 1;
        globalThis.URL = 1; Uint8Array.prototype.toBase64 = () => 'left';
        return lodash.uniqueId() }";
    let find = "function yourFunction(p, { lodash, moment, fetch, Buffer }) {
        return [lodash.chunk([1]).length, ({}).left, moment().left, fetch.left, Buffer.left, typeof URL, lodash.uniqueId(),
            Buffer.from('a').toString('base64')] }";
    for _ in 0..MANY {
        assert_eq!(sandbox.call(call(leave)).await, Ok(json!("1")));
        let found = json!([1, null, null, null, null, "function", "1", "YQ=="]);
        assert_eq!(sandbox.call(call(find)).await, Ok(found));
    }
}

#[tokio::test]
async fn nothing_private_is_reached_from_a_function() {
    let inside = Server::start(|_| answer(200, &[], "secret")).await;
    let outside_of = inside.url("/");
    let away = Server::start(move |_| answer(302, &[("location", &outside_of)], "")).await;
    let names = Names::of(&[("away.example", &[&["127.0.0.1"]])]);
    let allowed = format!("away.example:{}", away.port);
    let options = Options { threads: 1, threads_max: 1, ..Options::default() };
    let sandbox = Sandbox::new(options).sending(client(&[&allowed], &names));
    for send in [
        "await fetch(p.url)",
        "await libraries.fetch(p.url)",
        "await new Promise((done, fail) => libraries.https.get(p.url.replace('http:', 'https:'), done).on('error', fail))",
        "await new libraries.jsforce.Connection({ instanceUrl: p.url, accessToken: 't' }).request('/x')",
        "await libraries.fetch('http://0x7f.1:' + p.port)",
        "await libraries.fetch('http://169.254.169.254/latest/meta-data/')",
        "await libraries.fetch('http://' + p.allowed)",
    ] {
        let code =
            format!("async function yourFunction(p, libraries) {{ {send}; return 'reached' }}");
        let parameters = json!({ "url": inside.url("/"), "port": inside.port, "allowed": allowed });
        let text = failed(sandbox.call(with(&code, &parameters)).await);
        assert!(text.contains("not permitted"), "{send}: {text}");
    }
    assert!(inside.seen().is_empty());
    assert_eq!(away.seen().len(), 1);
}

#[tokio::test]
async fn timers_and_requests_end_with_the_call() {
    let sandbox = sandbox();
    let sleeps = "async function yourFunction() { await new Promise((done) => setTimeout(done, 5)); return 'woken' }";
    let repeats = "async function yourFunction() { let n = 0; await new Promise((done) => { const t = setInterval(() => { if (++n === 3) { clearInterval(t); done() } }, 1) }); return n }";
    for _ in 0..MANY {
        assert_eq!(sandbox.call(call(sleeps)).await, Ok(json!("woken")));
        assert_eq!(sandbox.call(call(repeats)).await, Ok(json!(3)));
    }
    for (code, fault) in [
        (
            "async function yourFunction() { await new Promise((done) => setTimeout(done, 1e6)) }",
            Fault::Timeout { timeout_ms: 60 },
        ),
        (
            "async function yourFunction() { const again = () => setTimeout(again, 1); again(); await new Promise(() => {}) }",
            Fault::Timeout { timeout_ms: 60 },
        ),
        (
            "function yourFunction(p, { lodash }) { lodash.times(3, () => { for (;;); }) }",
            Fault::Timeout { timeout_ms: 60 },
        ),
        (
            "async function yourFunction() { clearTimeout(setTimeout(() => {}, 1e6)); await new Promise(() => {}) }",
            Fault::Stalled,
        ),
    ] {
        assert_eq!(sandbox.call(Call { timeout_ms: 60, ..call(code) }).await, Err(fault), "{code}");
    }
    for (code, text) in [
        ("function yourFunction() { for (;;) setTimeout(() => {}, 1e6) }", "too many timers"),
        (
            "function yourFunction(p, { crypto }) { return crypto.pbkdf2Sync('a', 'b', 1e9, 64, 'sha512') }",
            "too many",
        ),
        ("function yourFunction(p, { crypto }) { return crypto.randomBytes(1e9) }", "too many"),
        (
            "function yourFunction(p, libraries) { return libraries['p' + 'g'] }",
            "past the egress guard",
        ),
    ] {
        let message = failed(sandbox.call(call(code)).await);
        assert!(message.contains(text), "{code}: {message}");
    }
}

/// A server that never answers holds the calls of one project, on one thread; others go on.
#[tokio::test]
async fn calls_that_wait_hold_no_thread() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let sandbox = Arc::new(sandbox());
    let waits = "async function yourFunction(p) { await fetch(p.url) }";
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let (sandbox, wait) = (Arc::clone(&sandbox), with(waits, &json!({ "url": url })));
            tokio::spawn(async move { sandbox.call(wait).await })
        })
        .collect();
    let mut open = Vec::new();
    while open.len() < 4 {
        open.push(silent.accept().await.unwrap());
    }
    let other = Tenant { project: ProjectId(Uuid::from_u128(2)), user: "other".to_owned() };
    let quick = Call { tenant: other, ..call("function yourFunction() { return 'quick' }") };
    assert_eq!(sandbox.call(quick).await, Ok(json!("quick")));
    for wait in waiting {
        assert!(!wait.is_finished());
        wait.abort();
    }
}
