use super::*;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, json};
use std::sync::OnceLock;

const SECRET: &str = "It's a Secret to Everybody";
const NOW_S: i64 = 1_614_265_330;
const URL: &str = "https://hooks.example/triggers/connect/p/i?a=b%3Ac";

/// A webhook that is about to come.
struct Sent {
    headers: HeaderMap,
    params: Map<String, Value>,
    body: Vec<u8>,
}

impl Sent {
    fn new(headers: &[(&str, &str)], body: &str) -> Self {
        let pairs = headers.iter().map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        Self { headers: pairs.collect(), params: Map::new(), body: body.as_bytes().to_vec() }
    }

    fn with(mut self, parameter: &str, value: &str) -> Self {
        self.params.insert(parameter.to_owned(), json!(value));
        self
    }

    fn verdict_at(&self, scheme: &str, secret: &str, now_s: i64) -> Verdict {
        let arrival = Arrival {
            method: &Method::POST,
            url: URL.to_owned(),
            headers: &self.headers,
            params: self.params.clone(),
            body: &self.body,
            size: self.body.len() as u64,
            secret: None,
            json: OnceLock::new(),
        };
        let window = Window { now_ms: now_s * 1_000, tolerance_s: 300 };
        let scheme = Scheme::named(scheme).unwrap();
        verify(scheme, secret.as_bytes(), &arrival, window).unwrap()
    }

    fn verdict(&self, scheme: &str) -> Verdict {
        self.verdict_at(scheme, SECRET, NOW_S)
    }
}

fn mac(algorithm: hmac::Algorithm, key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key), text.as_bytes()).as_ref().to_vec()
}

fn hex_of(text: &str) -> String {
    hex::encode(mac(hmac::HMAC_SHA256, SECRET.as_bytes(), text))
}

fn base64_of(text: &str) -> String {
    STANDARD.encode(mac(hmac::HMAC_SHA256, SECRET.as_bytes(), text))
}

fn sha1_of(text: &str) -> Vec<u8> {
    mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes(), text)
}

/// The example of GitHub's documentation.
const GITHUB: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

#[test]
fn githubs_own_example_is_verified_and_nothing_near_it() {
    let github = |signature: &str, body: &str| {
        Sent::new(&[("x-hub-signature-256", signature)], body).verdict("github")
    };
    assert_eq!(github(GITHUB, "Hello, World!"), Verdict::Verified);
    assert_eq!(github("", "Hello, World!"), Verdict::Unsigned);
    let hex = GITHUB.strip_prefix("sha256=").unwrap();
    let capitals = format!("sha256={}", hex.to_uppercase());
    let long = format!("{GITHUB}00");
    for wrong in [&GITHUB[..GITHUB.len() - 2], hex, "sha256=", "sha256=zz", &capitals, &long] {
        assert_eq!(github(wrong, "Hello, World!"), Verdict::Forged, "{wrong}");
    }
    assert_eq!(github(GITHUB, "Hello, World?"), Verdict::Forged);
}

const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The example of the specification's reference libraries.
const STANDARD_SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn standard(signature: &str, at_s: i64, now_s: i64) -> Verdict {
    let at = at_s.to_string();
    let headers = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", at.as_str()),
        ("webhook-signature", signature),
    ];
    let sent = Sent::new(&headers, r#"{"test": 2432232314}"#);
    sent.verdict_at("standard", STANDARD_SECRET, now_s)
}

#[test]
fn the_standards_own_example_is_verified_among_others() {
    assert_eq!(standard(STANDARD_SIGNATURE, NOW_S, NOW_S), Verdict::Verified);
    let several = format!("v1a,AAAA v1,AAAA {STANDARD_SIGNATURE} v1,");
    assert_eq!(standard(&several, NOW_S, NOW_S), Verdict::Verified);
    let late = format!("{}{STANDARD_SIGNATURE}", "v1,AAAA ".repeat(SIGNATURES_MAX));
    assert_eq!(standard(&late, NOW_S, NOW_S), Verdict::Forged);
    assert_eq!(standard("v1,AAAA", NOW_S, NOW_S), Verdict::Forged);
    let other_scheme = STANDARD_SIGNATURE.replace("v1,", "v1a,");
    assert_eq!(standard(&other_scheme, NOW_S, NOW_S), Verdict::Forged);
}

#[test]
fn an_old_or_early_signature_is_stale_and_another_time_forged() {
    assert_eq!(standard(STANDARD_SIGNATURE, NOW_S, NOW_S + 300), Verdict::Verified);
    assert_eq!(standard(STANDARD_SIGNATURE, NOW_S, NOW_S + 301), Verdict::Stale);
    assert_eq!(standard(STANDARD_SIGNATURE, NOW_S, NOW_S - 301), Verdict::Stale);
    assert_eq!(standard(STANDARD_SIGNATURE, NOW_S + 400, NOW_S + 400), Verdict::Forged);
}

#[test]
fn a_secret_that_is_misspelt_is_our_mistake() {
    let sent = Sent::new(&[("webhook-signature", "v1,AAAA")], "");
    let arrival = Arrival {
        method: &Method::POST,
        url: URL.to_owned(),
        headers: &sent.headers,
        params: Map::new(),
        body: &[],
        size: 0,
        secret: None,
        json: OnceLock::new(),
    };
    let window = Window { now_ms: 0, tolerance_s: 300 };
    for (scheme, secret) in [("standard", "whsec_***"), ("close", "zz"), ("airtable", "%")] {
        let scheme = Scheme::named(scheme).unwrap();
        assert!(verify(scheme, secret.as_bytes(), &arrival, window).is_err());
    }
}

const BODY: &str = r#"{"a":"ä"}"#;
const ISO: &str = "2021-02-25T15:02:10Z";

/// Verified, and with another body or secret, late or without a signature not.
fn assert_signed(scheme: &str, headers: &[(&str, String)]) {
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = Sent::new(&headers, BODY);
    assert_eq!(sent.verdict(scheme), Verdict::Verified, "{scheme}");
    assert_eq!(Sent::new(&headers, "{}").verdict(scheme), Verdict::Forged, "{scheme}");
    assert_eq!(sent.verdict_at(scheme, "another", NOW_S), Verdict::Forged, "{scheme}");
    assert_eq!(Sent::new(&[], BODY).verdict(scheme), Verdict::Unsigned, "{scheme}");
    let late = match Scheme::named(scheme).unwrap().time {
        Some(_) => Verdict::Stale,
        None => Verdict::Verified,
    };
    assert_eq!(sent.verdict_at(scheme, SECRET, NOW_S + 302), late, "{scheme}");
}

#[test]
fn every_way_of_signing_a_body_is_verified() {
    assert_signed("shopify", &[("x-shopify-hmac-sha256", base64_of(BODY))]);
    assert_signed("docusign", &[("x-docusign-signature-2", base64_of(BODY))]);
    assert_signed("greenhouse", &[("signature", format!("sha256 {}", hex_of(BODY)))]);
    let several = format!("v1=00,v1={}", hex_of(BODY));
    assert_signed("pagerduty", &[("x-pagerduty-signature", several)]);
    let prefixed = hex_of(&format!("hmacsha256={BODY}"));
    assert_signed("linkedin", &[("x-li-signature", prefixed)]);
    let sha1 = format!("sha1={}", hex::encode(sha1_of(BODY)));
    assert_signed("intercom", &[("x-hub-signature", sha1)]);
    let with_address = STANDARD.encode(sha1_of(&format!("{BODY}{URL}")));
    assert_signed("trello", &[("x-trello-webhook", with_address)]);
}

#[test]
fn every_way_of_signing_a_body_with_its_time_is_verified() {
    let (s, ms) = (NOW_S.to_string(), (NOW_S * 1_000).to_string());
    let versioned = format!("v0={}", hex_of(&format!("v0:{s}:{BODY}")));
    for (scheme, time, signature) in [
        ("slack", "x-slack-request-timestamp", "x-slack-signature"),
        ("zoom", "x-zm-request-timestamp", "x-zm-signature"),
    ] {
        assert_signed(scheme, &[(time, s.clone()), (signature, versioned.clone())]);
    }
    let dotted = hex_of(&format!("{s}.{BODY}"));
    let stripe = format!("t={s}, v1={}, v1={dotted}, v0=6f", "00".repeat(32));
    assert_signed("stripe", &[("stripe-signature", stripe)]);
    let calendly = format!("t={s},v1={dotted}");
    assert_signed("calendly", &[("calendly-webhook-signature", calendly)]);
    let behind = hex_of(&format!("{BODY}{s}"));
    assert_signed("bamboohr", &[("x-bamboohr-timestamp", s), ("x-bamboohr-signature", behind)]);
    let front = base64_of(&format!("{ms}:{BODY}"));
    let time = ("x-front-request-timestamp", ms.clone());
    assert_signed("front", &[time, ("x-front-signature", front)]);
    let uri = "https://hooks.example/triggers/connect/p/i?a=b:c";
    let hubspot = base64_of(&format!("POST{uri}{BODY}{ms}"));
    let time = ("x-hubspot-request-timestamp", ms);
    assert_signed("hubspot", &[time, ("x-hubspot-signature-v3", hubspot)]);
    let zendesk = base64_of(&format!("{ISO}{BODY}"));
    let time = ("x-zendesk-webhook-signature-timestamp", ISO.to_owned());
    assert_signed("zendesk", &[time, ("x-zendesk-webhook-signature", zendesk)]);
    let second = ("box-signature-secondary", base64_of(&format!("{BODY}{ISO}")));
    let time = ("box-delivery-timestamp", ISO.to_owned());
    assert_signed("box", &[time, ("box-signature-primary", "AAAA".to_owned()), second]);
}

#[test]
fn a_signature_may_stand_in_the_body_or_in_the_address() {
    let at = (NOW_S * 1_000).to_string();
    let signed = hex_of(&format!("token{at}"));
    let lever = |signature: &str| {
        let body =
            json!({ "signature": signature, "token": "token", "triggeredAt": NOW_S * 1_000 });
        Sent::new(&[], &body.to_string()).verdict("lever")
    };
    assert_eq!(lever(&signed), Verdict::Verified);
    assert_eq!(lever("00"), Verdict::Forged);
    let body = r#"[{"event":"x"}]"#;
    let pandadoc = |text: &str| Sent::new(&[], body).with("signature", text).verdict("pandadoc");
    assert_eq!(pandadoc(&hex_of(body)), Verdict::Verified);
    assert_eq!(pandadoc(&hex_of("other")), Verdict::Forged);
}

#[test]
fn a_form_is_signed_by_its_fields_and_another_body_by_its_hash() {
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let signed = STANDARD.encode(sha1_of(&format!("{URL}From+1 5To+2")));
    let twilio =
        |body: &str| Sent::new(&[("x-twilio-signature", &signed), form], body).verdict("twilio");
    assert_eq!(twilio("To=%2B2&From=%2B1+5"), Verdict::Verified);
    assert_eq!(twilio("To=%2B2&From=%2B1+6"), Verdict::Forged);
    let signed = STANDARD.encode(sha1_of(URL));
    let json = |body: &str, told: &str| {
        let sent = Sent::new(&[("x-twilio-signature", &signed)], body);
        sent.with("bodySHA256", told).verdict("twilio")
    };
    let hash = hex::encode(digest(&SHA256, b"{}"));
    assert_eq!(json("{}", &hash), Verdict::Verified);
    assert_eq!(json("{ }", &hash), Verdict::Forged, "not what was hashed");
    assert_eq!(
        Sent::new(&[("x-twilio-signature", &signed)], "{}").verdict("twilio"),
        Verdict::Forged
    );
}

#[test]
fn a_token_is_the_secret_or_is_signed_by_it() {
    let google = |token: &str| Sent::new(&[("x-goog-channel-token", token)], "").verdict("google");
    assert_eq!(
        (google(SECRET), google("other"), google("")),
        (Verdict::Verified, Verdict::Forged, Verdict::Unsigned)
    );
    let basic = |text: &str| {
        let header = format!("Basic {}", STANDARD.encode(text));
        Sent::new(&[("authorization", &header)], "{}").verdict("pipedrive")
    };
    assert_eq!((basic(SECRET), basic("a:b")), (Verdict::Verified, Verdict::Forged));
    let monday = |secret: &str, claims: &Value, algorithm: Algorithm| {
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        let token =
            jsonwebtoken::encode(&jsonwebtoken::Header::new(algorithm), claims, &key).unwrap();
        Sent::new(&[("authorization", &token)], "{}").verdict("monday")
    };
    let ever = json!({ "accountId": 7, "aud": "https://hooks.example" });
    assert_eq!(monday(SECRET, &ever, Algorithm::HS256), Verdict::Verified);
    assert_eq!(monday("other", &ever, Algorithm::HS256), Verdict::Forged);
    assert_eq!(monday(SECRET, &ever, Algorithm::HS512), Verdict::Forged);
    assert_eq!(monday(SECRET, &json!({ "exp": 1 }), Algorithm::HS256), Verdict::Forged);
}

#[test]
fn what_could_be_a_delivery_is_signed_for_no_stranger() {
    let signature = Scheme::named("linkedin").unwrap().signature.as_ref().unwrap();
    let proof = |text: &str| proof(signature, SECRET.as_bytes(), text);
    let asked = "890e4665-4dfe-4ab1-b689-ed553bceeed0";
    assert_eq!(proof(asked), Some(hex_of(asked)));
    for text in ["hmacsha256={}", "v0:1614265330:{}", "", &"a".repeat(65)] {
        assert_eq!(proof(text).is_some(), text.is_empty(), "{text}");
    }
}
