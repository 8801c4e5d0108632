//! What operators get wrong, as `millrace doctor` tells them.

use crate::project::project;
use crate::world::World;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tests::harness::{Node, backend};

/// What it says, a finding each, and how it ends.
async fn examine(data: &Path) -> (Vec<Value>, Option<i32>) {
    let said = Node::tell(data, &["doctor", "--json"]).await.unwrap();
    assert!(said.err.is_empty(), "{}", said.err);
    let parse = |line: &str| serde_json::from_str(line).unwrap();
    (said.out.lines().map(parse).collect(), said.code)
}

/// It finds this one thing bad, and says what to do.
async fn assert_bad(data: &Path, check: &str, what: &str, mend: &str) {
    let (findings, code) = examine(data).await;
    let bad: Vec<&Value> = findings.iter().filter(|one| one["grade"] == "bad").collect();
    assert_eq!((bad.len(), code), (1, Some(1)), "{bad:#?}");
    let holds = |field: &str, text: &str| bad[0][field].as_str().unwrap().contains(text);
    assert_eq!(bad[0]["check"], check, "{bad:#?}");
    assert!(holds("what", what) && holds("mend", mend), "{bad:#?}");
}

fn found<'a>(findings: &'a [Value], check: &str, what: &str) -> &'a Value {
    let found = findings.iter().find(|one| {
        one["check"] == check && one["what"].as_str().is_some_and(|text| text.contains(what))
    });
    found.unwrap_or_else(|| panic!("no {check} says {what}: {findings:#?}"))
}

fn grant(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn nothing_is_bad_beside_a_running_node_and_after_it() {
    let world = World::start(&project("http://127.0.0.1:9", &[])).await;
    let (findings, code) = examine(world.data()).await;
    assert_eq!(code, Some(0), "{findings:#?}");
    for (check, what) in [
        ("node", "it is ready"),
        ("folder", "process"),
        ("master key", "opens all"),
        ("master key", "its owner's only"),
        ("sync", "durable"),
        ("log", "8 partitions"),
        ("rows", "the node has them"),
        ("clock", "not ahead"),
    ] {
        assert_eq!(found(&findings, check, what)["grade"], "ok", "{what}");
    }
    if backend::is_kafka() {
        assert_eq!(found(&findings, "nodes", "and is ready")["grade"], "ok");
        assert_eq!(found(&findings, "topics", "may lose records")["grade"], "warn");
    }
    let said = Node::tell(world.data(), &["doctor"]).await.unwrap();
    assert!(said.out.lines().all(|line| line.starts_with("ok  ") || line.starts_with("warn")));
    let folder = world.stop().await;
    let (findings, code) = examine(folder.path()).await;
    assert_eq!(code, Some(0), "{findings:#?}");
    found(&findings, "folder", "no node has");
    found(&findings, "rows", "of history are this log's");
}

#[tokio::test]
async fn a_folder_that_no_node_has_used_is_no_mistake() {
    let folder = tempfile::tempdir().unwrap();
    if backend::is_kafka() {
        backend::name(folder.path(), &backend::fresh(folder.path()).unwrap()).unwrap();
        return assert_bad(folder.path(), "topics", "6 things to do", "millrace migrate").await;
    }
    let (findings, code) = examine(folder.path()).await;
    assert_eq!(code, Some(0), "{findings:#?}");
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 0, "it left something behind");
}

#[tokio::test]
async fn each_mistake_is_told_with_its_mend() {
    let small = project("http://127.0.0.1:9", &[]);
    let (world, other) = (World::start(&small).await, World::start(&small).await);
    let (folder, other) = (world.stop().await, other.stop().await);
    let (data, master) = (folder.path(), folder.path().join("master.key"));
    grant(&master, 0o644);
    assert_bad(data, "master key", "its mode is 644", "chmod 600").await;
    grant(&master, 0o600);
    let key = std::fs::read(&master).unwrap();
    std::fs::copy(other.path().join("master.key"), &master).unwrap();
    assert_bad(data, "master key", "another log's", "put the key there").await;
    std::fs::write(&master, "a key\n").unwrap();
    assert_bad(data, "master key", "64 hex digits", "put the key there").await;
    std::fs::remove_file(&master).unwrap();
    assert_bad(data, "master key", "is not there", "put the key there").await;
    std::fs::write(&master, key).unwrap();
    grant(&master, 0o600);
    std::fs::rename(data.join("rows"), data.join("own")).unwrap();
    std::fs::rename(other.path().join("rows"), data.join("rows")).unwrap();
    assert_bad(data, "rows", "belong to log", "remove the folder rows").await;
    std::fs::remove_dir_all(data.join("rows")).unwrap();
    if !backend::is_kafka() {
        std::fs::write(data.join("log/FORMAT"), "format = 9\n").unwrap();
        assert_bad(data, "log", "format 9", "restore a backup").await;
    }
    let settings = data.join("settings.toml");
    std::fs::write(&settings, "[http]\nlistens = 1\n").unwrap();
    let path = settings.to_string_lossy().into_owned();
    let said = Node::tell(data, &["--config", &path, "doctor"]).await.unwrap();
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.out.starts_with("bad   settings"), "{}", said.out);
    assert!(said.out.contains("listens") && said.out.lines().count() == 1, "{}", said.out);
}

#[tokio::test]
async fn the_registry_of_a_log_has_its_schemas() {
    let registry = backend::registry().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    backend::name(data, &backend::fresh(data).unwrap()).unwrap();
    let tell = async |words: &[&str], registry: &str| {
        Node::tell_with(data, words, &[("KAFKA__REGISTRY", registry)]).await.unwrap()
    };
    let said = tell(&["migrate"], &registry).await;
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    for (named, grade, told) in [
        (registry.as_str(), "ok ", "has all"),
        ("", "bad", "set kafka.registry"),
        ("http://127.0.0.1:9", "bad", "no answer from"),
    ] {
        let said = tell(&["doctor"], named).await.out;
        let line = said.lines().find(|line| line.contains(" registry ")).unwrap();
        assert!(line.starts_with(grade) && line.contains(told), "{line}");
    }
}
