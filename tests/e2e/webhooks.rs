//! Webhooks as GitHub and Standard Webhooks sign them, and as others would like to.

use crate::project::{DESK, GITHUB_SECRET, id, nobody, project, workflow};
use crate::server::Server;
use crate::world::{World, assert_error, text, until};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tests::github;
use tests::harness::Answer;

const SHOP: &str = "custom.shop";
/// The key in Base64, as such secrets are written.
const SHOP_SECRET: &str = "whsec_c2VjcmV0IG9mIHRoZSBzaG9wLCAyNCBi";

/// GitHub and a shop send webhooks; each delivery is noted at the server.
fn file(server: &Server) -> Value {
    let note = |path: &str| {
        json!([{ "name": "note", "request": {
            "method": "POST", "url": server.url(path), "json": "{{trigger.body}}",
        } }])
    };
    let mut file = project(&server.url("/desk"), &[]);
    file["integrations"].as_array_mut().unwrap().push(json!({
        "type": SHOP, "name": "Shop", "base_url": server.url("/shop"),
        "webhook": { "scheme": "standard", "secret": SHOP_SECRET, "provider_id": "body.account" },
    }));
    let mut of_shop = workflow("shop", &json!({ "webhook": "order.paid" }), &note("/paid"));
    of_shop["integration"] = json!(SHOP);
    file["workflows"] = json!([
        workflow("issues", &json!({ "webhook": "issues.opened", "of": "github" }), &note("/issue")),
        of_shop,
    ]);
    file
}

struct Hooks {
    world: World,
    server: Server,
}

impl Hooks {
    /// Anna is account 7 at GitHub and at the shop, and has a desk.
    async fn start() -> Self {
        let server = Server::start().await;
        let world = World::start(&file(&server)).await;
        let token = world.connected("anna").await;
        for integration in ["github", SHOP] {
            world.api.connect(&token, integration, "7").await.unwrap();
        }
        Self { world, server }
    }

    /// Posts a webhook to the address of an integration.
    async fn post(&self, at: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let node = self.world.node.address;
        let url = format!("http://{node}/triggers/connect/{}/{at}", self.world.api.project);
        let mut request = hyper::Request::post(url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = http_body_util::Full::new(Bytes::copy_from_slice(body));
        self.world.api.client.send(request.body(body).unwrap()).await.unwrap()
    }

    async fn github(&self, delivery: &str, signature: &str, body: &[u8]) -> Answer {
        let mut headers = vec![("x-github-event", "issues"), ("x-github-delivery", delivery)];
        if !signature.is_empty() {
            headers.push(("x-hub-signature-256", signature));
        }
        self.post("github", &headers, body).await
    }

    async fn shop(&self, delivery: &str, at_s: i64, signature: &str, body: &[u8]) -> Answer {
        let at = at_s.to_string();
        let mut headers = vec![("webhook-id", delivery), ("webhook-timestamp", &at)];
        if !signature.is_empty() {
            headers.push(("webhook-signature", signature));
        }
        self.post(SHOP, &headers, body).await
    }

    /// The row of a delivery, once it is there.
    async fn row(&self, delivery: &str) -> Value {
        until(&format!("the delivery {delivery}"), async || {
            let page = self.world.inbox(&format!("?delivery={delivery}")).await;
            page["webhooks"].get(0).cloned()
        })
        .await
    }

    async fn assert_started(&self, path: &str, count: usize) {
        until(&format!("{count} notes at {path}"), async || {
            (self.server.seen(path).len() >= count).then_some(())
        })
        .await;
        self.world.ended("", count).await;
        assert_eq!(self.server.seen(path).len(), count, "{path}");
    }
}

fn now_s() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// `v1,…` as the specification says.
fn standard(secret: &str, delivery: &str, at_s: i64, body: &[u8]) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = [delivery.as_bytes(), b".", at_s.to_string().as_bytes(), b".", body].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed);
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
}

fn issue() -> String {
    // Blanks, escapes and order matter: what is signed is the bytes.
    r#"{ "action":"opened",  "installation":{"id":7}, "issue":{"title":"\u00e4 \/ ü"}, "n":1.0 }"#
        .to_owned()
}

#[tokio::test]
async fn githubs_signature_is_of_the_bytes_as_they_came() {
    let hooks = Hooks::start().await;
    let body = issue();
    let good = github::sign(GITHUB_SECRET, body.as_bytes());
    let answer = hooks.github("d-1", &good, body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    hooks.assert_started("/issue", 1).await;
    assert_eq!(hooks.server.seen("/issue")[0]["body"]["issue"]["title"], "ä / ü");
    // A signature has one spelling.
    let capitals = format!("sha256={}", good["sha256=".len()..].to_uppercase());
    let encoded = serde_json::from_str::<Value>(&body).unwrap().to_string();
    let mut flipped = body.clone().into_bytes();
    flipped[3] ^= 1;
    let longer = format!("{body} ");
    let forged: [(&str, &str, &[u8]); 10] = [
        ("capitals", &capitals, body.as_bytes()),
        ("re-encoded", &good, encoded.as_bytes()),
        ("one bit", &good, &flipped),
        ("one byte more", &good, longer.as_bytes()),
        ("nothing", &good, b""),
        ("another secret", &github::sign("another", body.as_bytes()), body.as_bytes()),
        ("cut", &good[..good.len() - 2], body.as_bytes()),
        ("no prefix", &good["sha256=".len()..], body.as_bytes()),
        ("SHA-1", "sha1=0000000000000000000000000000000000000000", body.as_bytes()),
        ("no hex", "sha256=hello", body.as_bytes()),
    ];
    for (number, (what, signature, body)) in forged.into_iter().enumerate() {
        let delivery = format!("f-{number}");
        let answer = hooks.github(&delivery, signature, body).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.shown());
        assert_error(&answer, 401, "WEBHOOK_FORGED");
        let row = hooks.row(&delivery).await;
        assert_eq!(row["verdict"], "FORGED", "{what}");
        assert_eq!(row["recipientCount"], 0, "{what}");
    }
    assert_error(&hooks.github("u-1", "", body.as_bytes()).await, 401, "WEBHOOK_UNSIGNED");
    assert_eq!(hooks.row("u-1").await["verdict"], "UNSIGNED");
    hooks.assert_started("/issue", 1).await;
}

#[tokio::test]
async fn the_standards_signature_covers_id_time_and_body() {
    let hooks = Hooks::start().await;
    let body = br#"{"type":"order.paid","account":"7","amount":12}"#;
    let now = now_s();
    let good = standard(SHOP_SECRET, "m-1", now, body);
    assert_eq!(hooks.shop("m-1", now, &good, body).await.status, 200);
    hooks.assert_started("/paid", 1).await;
    // One of several, as while a secret is being changed.
    let several = format!("v1,AAAA v2,zzz {}", standard(SHOP_SECRET, "m-2", now, body));
    assert_eq!(hooks.shop("m-2", now, &several, body).await.status, 200);
    hooks.assert_started("/paid", 2).await;

    let other = format!("whsec_{}", STANDARD.encode("another secret, 24 bytes"));
    let forged: [(&str, &str, i64, String, &[u8]); 5] = [
        ("another id", "m-3", now, good.clone(), body),
        ("another time", "m-1", now - 1, good.clone(), body),
        ("another body", "m-1", now, good.clone(), br#"{"type":"order.paid","account":"8"}"#),
        ("another secret", "m-4", now, standard(&other, "m-4", now, body), body),
        ("another version", "m-1", now, good.replace("v1,", "v2,"), body),
    ];
    for (what, delivery, at, signature, body) in forged {
        let answer = hooks.shop(delivery, at, &signature, body).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.shown());
        assert_error(&answer, 401, "WEBHOOK_FORGED");
    }
    assert_error(&hooks.shop("m-5", now, "", body).await, 401, "WEBHOOK_UNSIGNED");
    for (delivery, at) in [("m-6", now - 400), ("m-7", now + 400), ("m-8", 0), ("m-9", i64::MAX)] {
        let signature = standard(SHOP_SECRET, delivery, at, body);
        let answer = hooks.shop(delivery, at, &signature, body).await;
        assert_error(&answer, 401, "WEBHOOK_STALE");
        assert_eq!(hooks.row(delivery).await["verdict"], "STALE");
    }
    hooks.assert_started("/paid", 2).await;
}

#[tokio::test]
async fn a_repeated_delivery_is_taken_once() {
    let hooks = Hooks::start().await;
    let body = issue();
    let signature = github::sign(GITHUB_SECRET, body.as_bytes());
    let mut sent = Vec::new();
    for _ in 0..5 {
        sent.push(hooks.github("same", &signature, body.as_bytes()));
    }
    for answer in futures_util::future::join_all(sent).await {
        assert_eq!(answer.status, 200, "{}", answer.shown());
    }
    let now = now_s();
    let paid = br#"{"type":"order.paid","account":"7"}"#;
    // Captured and sent again: the signature still fits, and the time does too.
    for _ in 0..3 {
        let signature = standard(SHOP_SECRET, "replayed", now, paid);
        assert_eq!(hooks.shop("replayed", now, &signature, paid).await.status, 200);
    }
    let page = until("every delivery", async || {
        let page = hooks.world.inbox("").await;
        (page["total"] == 8).then_some(page)
    })
    .await;
    let rows = page["webhooks"].as_array().unwrap();
    let count = |delivery: &str, repeated: bool| {
        rows.iter().filter(|row| row["delivery"] == delivery && row["repeated"] == repeated).count()
    };
    assert_eq!((count("same", false), count("same", true)), (1, 4));
    assert_eq!((count("replayed", false), count("replayed", true)), (1, 2));
    let rows = hooks.world.ended("", 2).await;
    assert_eq!(rows.len(), 2);
    assert_eq!((hooks.server.seen("/issue").len(), hooks.server.seen("/paid").len()), (1, 1));
}

#[tokio::test]
async fn one_webhook_reaches_every_user_of_the_account_once() {
    let hooks = Hooks::start().await;
    for (user, account) in [("bert", "7"), ("carl", "7"), ("dora", "8")] {
        let token = hooks.world.connected(user).await;
        hooks.world.api.connect(&token, "github", account).await.unwrap();
    }
    let send = async |delivery: &str, body: &str| {
        let signature = github::sign(GITHUB_SECRET, body.as_bytes());
        let answer = hooks.github(delivery, &signature, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.shown());
        hooks.row(delivery).await["recipientCount"].as_u64().unwrap()
    };
    // The address hears of an account a little after it is connected: nothing runs meanwhile.
    let closed = issue().replace("opened", "closed");
    let mut tries = 0;
    while send(&format!("closed-{tries}"), &closed).await < 3 {
        tries += 1;
        assert!(tries < 100, "the accounts do not become known");
    }
    assert_eq!(send("opened", &issue()).await, 3);
    hooks.assert_started("/issue", 3).await;
    // A repeat reaches no one.
    let signature = github::sign(GITHUB_SECRET, issue().as_bytes());
    assert_eq!(hooks.github("opened", &signature, issue().as_bytes()).await.status, 200);
    until("the repeat", async || {
        let page = hooks.world.inbox("?delivery=opened").await;
        (page["total"] == 2).then_some(())
    })
    .await;
    hooks.assert_started("/issue", 3).await;
    for (user, count) in [("anna", 1), ("bert", 1), ("carl", 1), ("dora", 0)] {
        let rows = hooks.world.ended(&format!("?userId={user}"), count).await;
        assert_eq!(rows.len(), count, "{user}");
    }
}

#[tokio::test]
async fn what_matches_nobody_is_kept_and_can_be_found() {
    let hooks = Hooks::start().await;
    let send = async |delivery: &str, body: &str| {
        let signature = github::sign(GITHUB_SECRET, body.as_bytes());
        let answer = hooks.github(delivery, &signature, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.shown());
        hooks.row(delivery).await
    };
    let stranger = send("n-1", r#"{"action":"opened","installation":{"id":8}}"#).await;
    assert_eq!((&stranger["recipientCount"], &stranger["providerId"]), (&json!(0), &json!("8")));
    let nobody_at_all = send("n-2", r#"{"action":"opened"}"#).await;
    assert_eq!(nobody_at_all["recipientCount"], 0);
    // Anna's, but nothing is set up for it: it reached her all the same.
    let other = send("n-3", r#"{"action":"closed","installation":{"id":7}}"#).await;
    assert_eq!((&other["recipientCount"], &other["name"]), (&json!(1), &json!("issues.closed")));
    let unmatched = hooks.world.inbox("?unmatched=true").await;
    let mut found: Vec<String> = unmatched["webhooks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| text(&row["delivery"]))
        .collect();
    found.sort();
    assert_eq!(found, ["n-1", "n-2"]);
    let of_github = hooks.world.inbox("?integration=github&verdict=VERIFIED").await;
    assert_eq!(of_github["total"], 3);
    assert_eq!(hooks.world.inbox("?integration=custom.shop").await["total"], 0);
    assert_eq!(hooks.world.history("").await["total"], 0);
}

#[tokio::test]
async fn a_users_own_address_ends_in_the_account() {
    let hooks = Hooks::start().await;
    let token = hooks.world.token("anna");
    let credentials = hooks.world.call("GET", "/sdk/credentials", &token).await.json();
    let find = |integration: &str| {
        let is = |c: &&Value| c["integrationId"] == integration;
        credentials.as_array().unwrap().iter().find(is).map(|c| text(&c["id"]))
    };
    let shop = hooks.world.call("GET", "/sdk/integrations", &token).await.json();
    let shop = shop.as_array().unwrap().iter().find(|i| i["type"] == "custom").cloned();
    assert!(shop.is_some());
    let integrations = hooks.world.call("GET", "/sdk/integrations", &token).await.json();
    let account = integrations
        .as_array()
        .unwrap()
        .iter()
        .filter(|i| i["customIntegration"]["slug"] == SHOP || i["type"] == SHOP)
        .find_map(|i| find(&text(&i["id"])))
        .expect("anna's account at the shop");
    // The body names nobody: the address does.
    let body = br#"{"type":"order.paid"}"#;
    let now = now_s();
    for (number, at) in
        [format!("{SHOP}?id={account}"), format!("{SHOP}/?id={account}")].iter().enumerate()
    {
        let delivery = format!("a-{number}");
        let signature = standard(SHOP_SECRET, &delivery, now, body);
        let stamp = now.to_string();
        let headers = [
            ("webhook-id", delivery.as_str()),
            ("webhook-timestamp", &stamp),
            ("webhook-signature", &signature),
        ];
        let answer = hooks.post(at, &headers, body).await;
        assert_eq!(answer.status, 200, "{at}: {}", answer.shown());
    }
    hooks.assert_started("/paid", 2).await;
    let answer = hooks.post(&format!("{SHOP}?id=nonsense"), &[], body).await;
    assert_error(&answer, 404, "CREDENTIAL_UNKNOWN");
}

#[tokio::test]
async fn an_address_that_takes_no_webhooks_says_so() {
    let hooks = Hooks::start().await;
    let body = issue();
    assert_error(&hooks.post(DESK, &[], body.as_bytes()).await, 404, "WEBHOOK_UNCONFIGURED");
    for unknown in ["gitlab", &nobody(), &id("nothing")] {
        let answer = hooks.post(unknown, &[], body.as_bytes()).await;
        assert_error(&answer, 404, "INTEGRATION_UNKNOWN");
    }
    let path = format!("/triggers/connect/{}/github", nobody());
    let answer = hooks.world.open("POST", &path).await;
    assert_error(&answer, 404, "PROJECT_UNKNOWN");
}

#[tokio::test]
async fn a_signed_body_that_cannot_be_read_is_kept_as_malformed() {
    let hooks = Hooks::start().await;
    for (number, body) in [&b"{\"action\":"[..], b"\xff\xfe", b"[1,"].into_iter().enumerate() {
        let delivery = format!("x-{number}");
        let signature = github::sign(GITHUB_SECRET, body);
        let answer = hooks.github(&delivery, &signature, body).await;
        assert_error(&answer, 400, "WEBHOOK_MALFORMED");
        assert_eq!(hooks.row(&delivery).await["verdict"], "MALFORMED");
    }
}

#[tokio::test]
async fn each_webhook_can_be_read_with_what_was_sent_or_why_it_was_refused() {
    let hooks = Hooks::start().await;
    let body = issue();
    let good = github::sign(GITHUB_SECRET, body.as_bytes());
    assert_eq!(hooks.github("good", &good, body.as_bytes()).await.status, 200);
    hooks.github("forged", "sha256=00", body.as_bytes()).await;
    let answer = hooks.post(DESK, &[], b"unasked").await;
    assert_error(&answer, 404, "WEBHOOK_UNCONFIGURED");
    let read = async |row: &Value| {
        let answer = hooks.world.admin("GET", &format!("/webhooks/{}", text(&row["id"]))).await;
        assert_eq!(answer.status, 200, "{}", answer.shown());
        answer.json()
    };
    let whole = read(&hooks.row("good").await).await;
    assert_eq!((&whole["verdict"], &whole["delivery"]), (&json!("VERIFIED"), &json!("good")));
    let sent: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(whole["content"]["body"], sent);
    assert_eq!(whole["content"]["headers"]["x-github-event"], "issues");
    let refused = read(&hooks.row("forged").await).await;
    assert_eq!(refused["content"]["refused"]["code"], "WEBHOOK_FORGED");
    let desk = format!("?integration={DESK}");
    let unasked = until("the webhook for the desk", async || {
        let rows = hooks.world.inbox(&desk).await["webhooks"].clone();
        rows.get(0).cloned()
    })
    .await;
    let contents = &read(&unasked).await["content"];
    assert_eq!(
        (&contents["refused"]["code"], &contents["body"]),
        (&json!("WEBHOOK_UNCONFIGURED"), &json!("unasked"))
    );
    for id in [nobody(), "nonsense".into()] {
        let answer = hooks.world.admin("GET", &format!("/webhooks/{id}")).await;
        assert_error(&answer, 404, "WEBHOOK_UNKNOWN");
    }
}

#[tokio::test]
async fn a_flood_of_forged_webhooks_is_refused_and_kept_only_in_part() {
    let hooks = Hooks::start().await;
    let body = issue();
    for number in 0..300 {
        let answer = hooks.github(&format!("flood-{number}"), "sha256=00", body.as_bytes()).await;
        assert_error(&answer, 401, "WEBHOOK_FORGED");
    }
    let good = github::sign(GITHUB_SECRET, body.as_bytes());
    assert_eq!(hooks.github("good", &good, body.as_bytes()).await.status, 200);
    hooks.row("good").await;
    let kept = hooks.world.inbox("?verdict=FORGED").await["total"].as_u64().unwrap();
    // Sixty a minute; the flood may have seen the minute change.
    assert!((1..=180).contains(&kept), "{kept} forged webhooks are kept");
    // The others are counted.
    let metrics = hooks.world.open("GET", "/metrics").await.shown();
    let unkept =
        format!("millrace_webhooks_unkept_total{{code=\"WEBHOOK_FORGED\"}} {}", 300 - kept);
    assert!(metrics.contains(&unkept), "{unkept} is not in {metrics}");
    hooks.assert_started("/issue", 1).await;
}
