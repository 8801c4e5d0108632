//! What the load runs beyond the project that it shares with the demo: what waits, so that it can be
//! paused, what has pages and fans out, and what runs by itself.

use crate::receiver::{PAGE_ITEMS, PAGES};
use serde_json::{Value, json};

/// The workflow that waits, delivers, waits, and delivers once more.
pub(super) const HOLD: &str = "e2a1f6c4-0b57-4d1e-8c39-5f7a9d2b6e10";
/// The workflow that gets pages, fans out over what they have, and says how many that were.
pub(super) const COLLECT: &str = "e2a1f6c4-0b57-4d1e-8c39-5f7a9d2b6e11";
/// The workflows of every second: one run makes up for moments that were missed, or they are gone.
pub(super) const TICKS: [(&str, &str); 2] = [
    ("e2a1f6c4-0b57-4d1e-8c39-5f7a9d2b6e12", "once"),
    ("e2a1f6c4-0b57-4d1e-8c39-5f7a9d2b6e13", "skip"),
];

/// Where the items of a fan out are counted.
pub(super) const COUNTED: &str = "/collected";

/// The definitions.
pub(super) fn workflows(warehouse: &str) -> Vec<Value> {
    let mut workflows = vec![hold(warehouse), collect(warehouse)];
    workflows.extend(TICKS.map(|(id, missed)| tick(id, missed)));
    workflows
}

/// What a request to [`HOLD`] delivers.
pub(super) fn held(id: &str) -> [String; 2] {
    [id.to_owned(), format!("{id}-let-go")]
}

/// What a request to [`COLLECT`] delivers: how many items there are, and each of them.
pub(super) fn collected(id: &str) -> Vec<String> {
    let items = (0..PAGES * PAGE_ITEMS).map(|n| format!("{id}-{n}"));
    std::iter::once(id.to_owned()).chain(items).collect()
}

fn on_request(name: &str, id: &str, steps: &[Value]) -> Value {
    json!({
        "workflow": name,
        "id": id,
        "integration": "custom.tracker",
        "default_enabled": true,
        "trigger": { "request": { "body": { "id": { "type": "string", "required": true } } } },
        "steps": steps,
    })
}

fn post(name: &str, url: &str, body: &Value) -> Value {
    let request = json!({ "method": "POST", "url": url, "json": body, "timeout_ms": 10_000 });
    json!({ "name": name, "request": request, "auto_retry": true })
}

fn hold(warehouse: &str) -> Value {
    let wait = |name: &str| json!({ "name": name, "delay": { "value": 1, "unit": "seconds" } });
    let (id, later) = ("{{trigger.request.body.id}}", "{{trigger.request.body.id}}-let-go");
    let steps = [
        wait("wait"),
        post("held", &format!("{warehouse}/held"), &json!({ "id": id })),
        wait("rest"),
        post("let go", &format!("{warehouse}/let-go"), &json!({ "id": later })),
    ];
    on_request("hold", HOLD, &steps)
}

fn collect(warehouse: &str) -> Value {
    let pages = format!("{warehouse}/pages/{{{{trigger.request.body.id}}}}");
    let mut list = post("list", &pages, &json!({ "cursor": "{{self.pageToken}}" }));
    list["request"]["pagination"] = json!({
        "output": "{{self.response.body.items}}",
        "page_token": "{{self.response.body.next}}",
        "stop_when": { "{{self.response.body.next}}": "does_not_exist" },
    });
    let part = post("part", &format!("{warehouse}/parts"), &json!("{{each.instance}}"));
    let count = json!({
        "name": "count",
        "function": "function yourFunction({ id, all }) { return { id, count: all.length }; }",
        "parameters": { "id": "{{trigger.request.body.id}}", "all": "{{part.response}}" },
    });
    let steps = [
        list,
        json!({ "name": "each", "fan_out": "{{list.response.results}}", "steps": [part] }),
        count,
        post("tell", &format!("{warehouse}{COUNTED}"), &json!("{{count.result}}")),
    ];
    on_request("collect", COLLECT, &steps)
}

fn tick(id: &str, missed: &str) -> Value {
    let schedule =
        json!({ "cron": "* * * * * *", "timezone": "UTC", "exact": true, "missed": missed });
    json!({
        "workflow": format!("tick-{missed}"),
        "id": id,
        "integration": "custom.tracker",
        "default_enabled": false,
        "trigger": { "schedule": schedule },
        "steps": [{ "name": "run", "function": "function yourFunction() { return 1; }" }],
    })
}
