//! `server.properties` of a broker.

use crate::broker::{Broker, Listener, PASSWORD, Protocol, USER};

/// Copies of every record, and how many of them must be written, where there are brokers enough.
const COPIES: usize = 3;
const IN_SYNC_MIN: usize = 2;

/// The settings, a line each.
pub(crate) fn of(broker: &Broker) -> String {
    let all = |shown: &dyn Fn(&Listener) -> String| {
        let shown: Vec<String> = broker.listeners.iter().map(shown).collect();
        shown.join(",")
    };
    let listeners = all(&|it| format!("{}://127.0.0.1:{}", name(it.protocol), it.port));
    let told = all(&|it| format!("{}://{}:{}", name(it.protocol), host(it.protocol), it.told));
    let protocols = all(&|it| format!("{}:{}", name(it.protocol), security(it.protocol)));
    let voters: Vec<String> = (1..)
        .zip(&broker.voters)
        .map(|(id, port): (u16, &u16)| format!("{id}@127.0.0.1:{port}"))
        .collect();
    let (copies, in_sync_min) = (COPIES.min(voters.len()), IN_SYNC_MIN.min(voters.len()));
    let mut text = format!(
        "process.roles=broker,controller
node.id={id}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={told}
controller.listener.names=CONTROLLER
controller.quorum.voters={voters}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,{protocols}
inter.broker.listener.name=CLEAR
log.dirs={log}
default.replication.factor={copies}
min.insync.replicas={in_sync_min}
offsets.topic.replication.factor={copies}
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync_min}
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync_min}
offsets.topic.num.partitions=4
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=2097152
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
",
        id = broker.id,
        controller = broker.controller,
        voters = voters.join(","),
        log = broker.log().display(),
    );
    for line in secure(broker) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// What there is beside the listener in clear.
fn secure(broker: &Broker) -> Vec<String> {
    let Some(certificate) = &broker.certificate else { return Vec::new() };
    let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    let scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
    let mut lines = vec![
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512".to_owned(),
        "ssl.keystore.type=PKCS12".to_owned(),
        format!("ssl.keystore.location={}", certificate.store.display()),
        format!("ssl.keystore.password={PASSWORD}"),
    ];
    for way in ["sasl", "both"] {
        let way = format!("listener.name.{way}");
        lines.push(format!("{way}.plain.sasl.jaas.config={plain} user_{USER}=\"{PASSWORD}\";"));
        for mechanism in ["scram-sha-256", "scram-sha-512"] {
            lines.push(format!("{way}.{mechanism}.sasl.jaas.config={scram}"));
        }
    }
    lines
}

fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Clear => "CLEAR",
        Protocol::Aside => "ASIDE",
        Protocol::Sasl => "SASL",
        Protocol::Tls => "TLS",
        Protocol::Both => "BOTH",
    }
}

/// Certificates and passwords are for a name, not for an address.
fn host(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Clear | Protocol::Aside => "127.0.0.1",
        Protocol::Sasl | Protocol::Tls | Protocol::Both => "localhost",
    }
}

fn security(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Clear | Protocol::Aside => "PLAINTEXT",
        Protocol::Sasl => "SASL_PLAINTEXT",
        Protocol::Tls => "SSL",
        Protocol::Both => "SASL_SSL",
    }
}

#[cfg(test)]
mod tests {
    use crate::{Cluster, Listener, Ports, Protocol};
    use std::path::Path;

    fn settings(count: u16, change: impl Fn(&mut crate::Broker)) -> String {
        let (folder, jars) = (Path::new("/data"), Path::new("/jars"));
        let mut cluster = Cluster::plan(folder, jars, count, &mut Ports::default()).unwrap();
        let last = cluster.brokers.last_mut().unwrap();
        change(last);
        super::of(last)
    }

    #[test]
    fn three_brokers_keep_three_copies_two_of_them_in_sync() {
        let three = settings(3, |_| {});
        for line in
            ["node.id=3", "default.replication.factor=3", "min.insync.replicas=2", "broker-3/log"]
        {
            assert!(three.contains(line), "{line}: {three}");
        }
        let alone = settings(1, |_| {});
        assert!(alone.contains("default.replication.factor=1\nmin.insync.replicas=1\n"), "{alone}");
        assert!(!alone.contains("sasl"), "{alone}");
    }

    #[test]
    fn what_stands_in_front_of_a_broker_is_what_clients_are_told() {
        let aside = Listener { protocol: Protocol::Aside, port: 1_001, told: 1_002 };
        let settings = settings(1, |broker| broker.listeners.push(aside.clone()));
        let lines: Vec<&str> = settings.lines().collect();
        let of = |key: &str| lines.iter().find(|line| line.starts_with(key)).copied().unwrap();
        assert!(of("listeners=").contains("ASIDE://127.0.0.1:1001"), "{settings}");
        assert!(of("advertised.listeners=").ends_with("ASIDE://127.0.0.1:1002"), "{settings}");
        assert!(of("listener.security.protocol.map=").contains("ASIDE:PLAINTEXT"), "{settings}");
    }
}
