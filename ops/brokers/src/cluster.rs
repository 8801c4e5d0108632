//! Brokers that are one cluster.

use crate::broker::{Broker, Listener, Protocol};
use anyhow::Result;
use std::net::TcpListener;
use std::path::Path;

/// Brokers on loopback that are their own controllers. Topics made there have three copies, two of
/// them in sync, or as many as there are brokers.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The brokers, by their number from 1.
    pub brokers: Vec<Broker>,
}

impl Cluster {
    /// Gives ports to so many brokers, with their data below a folder; see [`crate::install`] for
    /// the jars.
    ///
    /// # Errors
    /// There is no free port.
    pub fn plan(folder: &Path, jars: &Path, count: u16, ports: &mut Ports) -> Result<Self> {
        let mut brokers = Vec::new();
        for id in 1..=count {
            let clear = Listener::new(Protocol::Clear, ports.take()?);
            brokers.push(Broker {
                id,
                folder: folder.join(format!("broker-{id}")),
                jars: jars.to_owned(),
                controller: ports.take()?,
                voters: Vec::new(),
                listeners: vec![clear],
                certificate: None,
            });
        }
        let voters: Vec<u16> = brokers.iter().map(|broker| broker.controller).collect();
        brokers.iter_mut().for_each(|broker| broker.voters.clone_from(&voters));
        Ok(Self { brokers })
    }

    /// Where to ask first: `host:port` of every broker, separated by commas.
    pub fn bootstrap(&self) -> String {
        let addresses: Vec<String> = self.brokers.iter().map(Broker::address).collect();
        addresses.join(",")
    }
}

/// Ports of 127.0.0.1 that nobody uses now, each given once. They are held until this is dropped:
/// do so before what they are for is started. Something else may then be quicker.
#[derive(Debug, Default)]
pub struct Ports(Vec<TcpListener>);

impl Ports {
    /// One more.
    ///
    /// # Errors
    /// There is none.
    pub fn take(&mut self) -> Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        self.0.push(listener);
        Ok(port)
    }
}
