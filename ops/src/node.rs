//! A running node: its owners, its projections, its door.

use crate::config::Config;
use crate::judge::Judge;
use crate::meters::Meters;
use crate::readers::{KeySets, Tasks, Users, Webhooks};
use crate::server::Server;
use crate::status::with_status;
use crate::watch::Watched;
use crate::wire::{self, Ports};
use crate::work::Work;
use anyhow::{Context, Result, bail};
use aws_lc_rs::digest;
use connectors::Runner as Outward;
use connectors::guard::{Allow, Egress, Guard, SystemResolver};
use connectors::http::{self, Client};
use connectors::sandbox::{self, Journal, Sandbox};
use ports::{Outbound, Random};
use projections::directory::DirectoryReader;
use projections::drive::{Told, drive};
use projections::history::{History, HistoryReader};
use projections::inbox::{Inbox, InboxReader};
use projections::roster::{Presence, View, attend};
use projections::runner::{self, Projection};
use projections::under_way::UnderWay;
use projections::{Seat, World};
use prometheus::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

/// Names looked up at a time.
const LOOKUPS_MAX: usize = 64;
/// How long the configuration is left alone between two looks at it.
const FEED_SETTLE: Duration = Duration::from_millis(2);
/// Pause after an error that may pass.
const FEED_PAUSE: Duration = Duration::from_millis(200);
/// How long open requests may take when the node stops.
const DRAIN: Duration = Duration::from_secs(5);
/// How long the steps that it performs may take then.
const FINISH: Duration = Duration::from_secs(10);
const FINISH_LOOK: Duration = Duration::from_millis(20);

/// A running node.
pub struct Node {
    /// Where it listens.
    pub address: SocketAddr,
    /// No more is taken in, and other nodes take over; what was taken in is still answered.
    leave: watch::Sender<bool>,
    /// Whether steps begin.
    begins: watch::Sender<bool>,
    /// Nothing goes on.
    stop: watch::Sender<bool>,
    tasks: JoinSet<Result<()>>,
    /// Which seats this node should hold.
    _view: watch::Sender<View>,
    under_way: UnderWay,
    _work: Work,
    server: tokio::task::JoinHandle<()>,
    journal: Arc<Journal>,
}

/// The projections that a node keeps.
pub fn projections() -> [Arc<dyn Projection>; 2] {
    [Arc::new(History), Arc::new(Inbox)]
}

/// The seats that a projection reads.
pub fn seats(partitions: u16) -> impl Iterator<Item = Seat> {
    (0..partitions).map(Seat::of)
}

impl Node {
    /// Opens the folder and starts everything. It must run inside the runtime.
    ///
    /// # Errors
    /// The folder or the address cannot be used.
    pub async fn start(config: &Config) -> Result<Self> {
        let Ports { mut world, admin_key } = wire::open(config).await?;
        let registry = Registry::new();
        let meters = Arc::new(Meters::new(&registry)?);
        world.log = Arc::new(Watched { log: world.log, meters: meters.clone() });
        world.meter = meters.clone();
        let ((leave, leaving), (stop, stopped)) = (watch::channel(false), watch::channel(false));
        let (begins, begin) = watch::channel(true);
        let mut tasks = JoinSet::new();
        let server = Server::bind(&config.http).await?;
        let address = server.address();
        let client = client(config, address)?;
        let journal = Journal::open(&config.data.join("functions"));
        let journal = Arc::new(journal.context("cannot note which functions run")?);
        let sandbox = sandbox(config, &client, &journal);
        let outbound = Outward::new(client.clone(), sandbox.clone(), world.clock.clone());
        let outbound: Arc<dyn Outbound> = Arc::new(outbound);
        let work = Work::start().context("cannot start threads")?;
        let seats: Vec<Seat> = seats(world.log.partitions()).chain([Seat::CONFIG]).collect();
        let name = process_name(world.random.as_ref());
        let presence = Arc::new(Presence::new(name, env!("CARGO_PKG_VERSION"), seats.len()));
        let (views, view) = watch::channel(first_view(&world, &presence, &seats));
        let told = Told { view, begins: begin, stop: stopped.clone() };
        start_owners((&mut tasks, &work), (&world, &presence, &seats), &outbound, &told);
        start_readers((&mut tasks, &work), &world, &stopped).await?;
        tasks.spawn(follow_configuration(world.clone(), stopped.clone()));
        presence.listens(address.to_string());
        if !world.log.exclusive() {
            let all: Vec<u16> = seats.iter().map(Seat::number).collect();
            let ends = (leaving.clone(), stopped.clone());
            let attending = attend(world.clone(), presence, (all, views.clone()), ends);
            tasks.spawn(async move { Ok(attending.await?) });
        }
        publish_address(config, address)?;
        let router = ingest::router(app(config, &world, (client, sandbox), &admin_key));
        let router = with_status(router, &world, meters, registry)?;
        let server = tokio::spawn(server.run(router, leaving, DRAIN));
        tracing::info!(%address, data = %config.data.display(), "ready");
        let under_way = world.under_way;
        let (_view, _work) = (views, work);
        Ok(Self { address, leave, begins, stop, tasks, _view, under_way, _work, server, journal })
    }

    /// Runs until `end` resolves or a part of the node cannot go on.
    ///
    /// # Errors
    /// What the part died of.
    pub async fn run_until(mut self, end: impl Future<Output = ()>) -> Result<()> {
        let died = tokio::select! {
            () = end => Ok(()),
            Some(joined) = self.tasks.join_next() => joined.context("a part of the node panicked")?,
        };
        tracing::info!("stopping");
        self.leave.send_replace(true);
        self.server.await.context("the server panicked")?;
        self.begins.send_replace(false);
        finish(&self.under_way).await;
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        self.journal.clear().context("cannot note that no function runs")?;
        died
    }
}

/// Waits for the steps that are performed; who owns them next has the others tried again.
async fn finish(under_way: &UnderWay) {
    let finished = async {
        while !under_way.is_empty() {
            tokio::time::sleep(FINISH_LOOK).await;
        }
    };
    if tokio::time::timeout(FINISH, finished).await.is_err() {
        tracing::warn!(steps = under_way.len(), "steps do not come to an end, and are left");
    }
}

/// Where a command on the same machine finds the node.
fn publish_address(config: &Config, address: SocketAddr) -> Result<()> {
    let path = config.data.join("address");
    std::fs::write(&path, format!("{address}\n"))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// What a node should hold before it has heard of others.
fn first_view(world: &World, presence: &Presence, seats: &[Seat]) -> View {
    // Nobody else can hold anything where the log is this process's alone.
    match world.log.exclusive() {
        true => View::alone(presence.node(), seats.iter().map(Seat::number)),
        false => View::default(),
    }
}

/// Starts an owner for every seat.
fn start_owners(
    (tasks, work): (&mut JoinSet<Result<()>>, &Work),
    (world, presence, seats): (&World, &Arc<Presence>, &[Seat]),
    outbound: &Arc<dyn Outbound>,
    told: &Told,
) {
    for seat in seats.iter().copied() {
        let (world, outbound, presence) = (world.clone(), outbound.clone(), presence.clone());
        let told = told.clone();
        let owner = async move { Ok(drive(world, seat, presence, outbound, told).await?) };
        tasks.spawn_on(owner, work.handle());
    }
}

/// A name that no other process has, also none with the same number on another day.
fn process_name(random: &dyn Random) -> String {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    format!("node-{}-{:08x}", std::process::id(), u32::from_be_bytes(bytes))
}

async fn start_readers(
    (tasks, work): (&mut JoinSet<Result<()>>, &Work),
    world: &World,
    stopped: &watch::Receiver<bool>,
) -> Result<()> {
    for projection in projections() {
        runner::renew(world.log.as_ref(), world.store.as_ref(), projection.as_ref()).await?;
        for seat in seats(world.log.partitions()) {
            let (world, projection, stopped) = (world.clone(), projection.clone(), stopped.clone());
            let reader = async move { Ok(runner::run(world, projection, seat, stopped).await?) };
            tasks.spawn_on(reader, work.handle());
        }
    }
    Ok(())
}

async fn follow_configuration(world: World, mut stopped: watch::Receiver<bool>) -> Result<()> {
    while !*stopped.borrow() {
        let next = match world.feed.refresh().await {
            Ok(next) => next,
            Err(ports::Error::Corrupt(reason)) => bail!("the configuration: {reason}"),
            Err(error) => {
                tracing::warn!(%error, "the configuration cannot be read");
                tokio::time::sleep(FEED_PAUSE).await;
                continue;
            }
        };
        tokio::select! {
            _ = world.log.changed(ports::Partition::CONFIG, next) => {}
            _ = stopped.changed() => {}
        }
        // What has changed may not be durable yet.
        tokio::time::sleep(FEED_SETTLE).await;
    }
    Ok(())
}

fn client(config: &Config, address: SocketAddr) -> Result<Client> {
    let parse = |text: &String| text.parse().with_context(|| format!("egress.allow: {text}"));
    let mut allow = config.egress.allow.iter().map(parse).collect::<Result<Vec<Allow>>>()?;
    let own = own(&config.http.public_url, address)?;
    allow.extend(own.iter().map(|(name, port)| Allow::Host { name: name.clone(), port: *port }));
    let egress =
        Egress { allow, connect_timeout_ms: config.egress.connect_timeout_ms, ..Egress::default() };
    let guard = Guard::new(egress, Arc::new(SystemResolver::new(LOOKUPS_MAX)));
    let mut options = http::Options { own, ..http::Options::default() };
    let file = &config.egress.authority_file;
    if !file.is_empty() {
        let pem = std::fs::read(file).with_context(|| format!("egress.authority_file: {file}"))?;
        options.extra_ca_pem = Some(pem);
    }
    Client::new(guard, &options).context("cannot set up TLS")
}

/// Hosts and ports that steps call this installation by: they may be private.
fn own(public_url: &str, address: SocketAddr) -> Result<Vec<(String, u16)>> {
    let mut own = Vec::new();
    if !public_url.is_empty() {
        let place = || format!("http.public_url: {public_url}");
        let url = Url::parse(public_url).with_context(place)?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https"));
        let host = host.context("write it as https://millrace.example.com").with_context(place)?;
        own.push((host.to_owned(), url.port_or_known_default().unwrap_or_default()));
    }
    if address.ip().is_loopback() {
        let ip = address.ip();
        let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        own.extend([host, "localhost".to_owned()].map(|host| (host, address.port())));
    }
    Ok(own)
}

fn sandbox(config: &Config, client: &Client, journal: &Arc<Journal>) -> Arc<Sandbox> {
    let mut options =
        sandbox::Options { threads: config.functions.threads, ..sandbox::Options::default() };
    options.limits.memory_bytes_max = config.functions.memory_bytes_max;
    Arc::new(Sandbox::noting(options, journal.clone()).sending(client.clone()))
}

fn app(
    config: &Config,
    world: &World,
    (client, sandbox): (Client, Arc<Sandbox>),
    admin_key: &str,
) -> ingest::App {
    let (store, partitions) = (&world.store, world.log.partitions());
    let limits = ingest::Limits {
        body_bytes_max: config.http.body_bytes_max,
        webhook_bytes_max: config.http.webhook_bytes_max,
        body_timeout_ms: config.http.body_timeout_ms,
        response_timeout_ms: config.http.response_timeout_ms,
        tenant_lag_ms_max: config.http.tenant_lag_ms_max,
        ..ingest::Limits::default()
    };
    let hash = digest::digest(&digest::SHA256, admin_key.as_bytes());
    ingest::App {
        log: world.log.clone(),
        vault: world.vault.clone(),
        feed: world.feed.clone(),
        answers: world.answers.clone(),
        backlog: world.backlog.clone(),
        level: world.level.clone(),
        clock: world.clock.clone(),
        random: world.random.clone(),
        directory: Arc::new(Users(DirectoryReader::new(store.clone(), partitions))),
        history: Arc::new(Tasks(HistoryReader::new(world.log.clone(), store.clone()))),
        inbox: Arc::new(Webhooks(InboxReader::new(world.log.clone(), store.clone()))),
        key_source: Arc::new(KeySets(client)),
        judge: Arc::new(Judge(sandbox)),
        meter: world.meter.clone(),
        registry: Some(config.kafka.registry.clone()).filter(|url| !url.is_empty()),
        limits,
        admin_key_hash: hash.as_ref().try_into().ok(),
    }
}
