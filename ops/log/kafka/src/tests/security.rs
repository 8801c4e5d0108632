use super::{migrated, opened, options, server};
use crate::{KafkaLog, Mechanism, Options, Sasl, Tls};
use ports::{Error, Headers, Log, Partition, Record};
use zeroize::Zeroizing;

fn sasl(mechanism: Mechanism, password: &str) -> Option<Sasl> {
    let password = Zeroizing::new(password.to_owned());
    Some(Sasl { mechanism, user: server()["user"].clone(), password })
}

fn tls() -> Option<Tls> {
    Some(Tls { authority_file: Some(server()["authority"].clone().into()), ..Tls::default() })
}

async fn works(options: &Options) {
    let log = opened(options).await;
    let record = Record { headers: Headers::default(), key: "k".into(), value: "v".into() };
    let at = log.append(vec![(Partition::events(0), record.clone())]).await.expect("it appends");
    log.changed(Partition::events(0), at[0]).await.expect("it is told");
    let found = log.read(Partition::events(0), at[0], 1_000).await.expect("it reads");
    assert_eq!(found[0].record, record);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_log_in_works() {
    let clear = options();
    migrated(&clear).await;
    let (server, password) = (server(), server()["password"].clone());
    let ways = [
        ("tls", tls(), None),
        ("sasl", None, sasl(Mechanism::Plain, &password)),
        ("sasl", None, sasl(Mechanism::ScramSha256, &password)),
        ("sasl_tls", tls(), sasl(Mechanism::ScramSha512, &password)),
    ];
    for (listener, tls, sasl) in ways {
        works(&Options { brokers: server[listener].clone(), tls, sasl, ..clear.clone() }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_a_line_that_says_so() {
    for mechanism in [Mechanism::Plain, Mechanism::ScramSha256] {
        let wrong = Options {
            brokers: server()["sasl"].clone(),
            sasl: sasl(mechanism, "a guess"),
            request_timeout_ms: 3_000,
            ..options()
        };
        let Err(Error::Unavailable(line)) = KafkaLog::open(wrong).await else {
            unreachable!("it is refused")
        };
        assert!(line.starts_with("Kafka refuses the user or the password"), "{line}");
        assert!(!line.contains("a guess"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_no_one_vouches_for_is_refused() {
    let stranger = Options {
        brokers: server()["tls"].clone(),
        tls: Some(Tls::default()),
        request_timeout_ms: 3_000,
        ..options()
    };
    let Err(Error::Unavailable(line)) = KafkaLog::open(stranger).await else {
        unreachable!("it is refused")
    };
    assert!(line.starts_with("TLS with Kafka fails"), "{line}");
}
