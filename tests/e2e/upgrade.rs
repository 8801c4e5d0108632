//! Nodes of the build before the newest schema and of this one, at one log.

use crate::cluster::{Cluster, USERS, assert_rows, assert_runs, taken};
use crate::project::id;
use futures_util::future::{join, join_all};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::harness::{Api, Node, previous};

const NODES: usize = 3;
/// Between two orders of a user.
const PAUSE: Duration = Duration::from_millis(50);

/// Every user orders and asks, one after the other and through every door, until something has
/// happened. Gives how many runs there are of it.
async fn meanwhile(
    (doors, tokens): (&[Api], &[String]),
    round: usize,
    incident: impl Future<Output = ()>,
) -> u64 {
    let is_over = AtomicBool::new(false);
    let users = tokens.iter().enumerate().map(async |(user, token)| {
        let mut sent = 0;
        while !is_over.load(Ordering::Relaxed) {
            // No order of another round has its number.
            let n = (round * USERS + user) * 10_000 + sent;
            let payload = json!({ "id": n.to_string(), "amount": n });
            let order = async |door: Api| door.event(token, "Order Placed", &payload).await;
            taken(doors, 2 * n, order).await;
            let asked = json!({ "n": n });
            let ask = async |door: Api| door.request(token, &id("answer"), &asked).await;
            taken(doors, 2 * n + 1, ask).await;
            sent += 1;
            tokio::time::sleep(PAUSE).await;
        }
        sent
    });
    let happening = async {
        incident.await;
        is_over.store(true, Ordering::Relaxed);
    };
    let ((), sent) = join(happening, join_all(users)).await;
    assert!(sent.iter().all(|orders| *orders > NODES), "{sent:?}");
    2 * sent.iter().sum::<usize>() as u64
}

/// One node after the other gives way to one of another build, in its folder and at its address.
async fn roll(cluster: &mut Cluster, build: Option<&Path>) {
    for n in 0..NODES {
        let (data, address) = (cluster.data(n), cluster.nodes[n].address.to_string());
        cluster.nodes.remove(n).stop().await.unwrap();
        Node::give(&data, build).unwrap();
        let node = Node::start_with(&data, &[("HTTP__LISTEN", &address)]).await.unwrap();
        cluster.nodes.insert(n, node);
    }
}

/// What `migrate` of this build says and ends with.
async fn migrate(cluster: &Cluster) -> (Option<i32>, String) {
    // A folder of this build, which has no node.
    let data = cluster.data(NODES);
    if !data.is_dir() {
        tests::harness::backend::join(&data, &cluster.data(0)).unwrap();
    }
    let said = Node::tell(&data, &["migrate"]).await.unwrap();
    (said.code, said.out + &said.err)
}

#[tokio::test]
async fn nodes_are_updated_put_back_and_updated_for_good_under_load() {
    let old = previous();
    assert!(old.is_file(), "there is no {}: `cargo x test` makes it", old.display());
    let mut cluster = Cluster::start_of(NODES, Some(&old)).await;
    let (doors, tokens) = (cluster.doors.clone(), cluster.users().await);
    let all = (&doors[..], &tokens[..]);
    let mut runs = meanwhile(all, 0, roll(&mut cluster, None)).await;
    runs += meanwhile(all, 1, roll(&mut cluster, Some(&old))).await;
    assert_runs(&doors, runs).await;
    let (code, said) = migrate(&cluster).await;
    assert_eq!((code, said.matches("update it first").count()), (Some(2), NODES), "{said}");
    runs += meanwhile(all, 2, roll(&mut cluster, None)).await;
    let (code, said) = migrate(&cluster).await;
    assert_eq!(code, Some(0), "{said}");
    runs += meanwhile(all, 3, tokio::time::sleep(10 * NODES as u32 * PAUSE)).await;
    assert_runs(&doors, runs).await;
    for node in cluster.nodes.drain(..) {
        node.stop().await.unwrap();
    }
    for n in 0..NODES {
        assert_rows(&cluster.data(n)).await;
    }
}
