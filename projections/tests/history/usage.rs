//! What is metered, against a look at everything that happened.

use crate::story::Story;
use crate::{fold, now, readers};
use domain::event::{
    CredentialConnected, CredentialRemoved, Event, PageFetched, StepKind, StepSucceeded,
};
use domain::id::{CredentialId, ExecutionId, IntegrationId, ProjectId, StepId};
use domain::key::Key;
use domain::payload::Payload;
use domain::time::Month;
use ports::model::store::ModelStore;
use projections::history::HistoryReader;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

const PROJECT: ProjectId = ProjectId(Uuid::from_u128(1));
const USERS: [&str; 6] = ["a", "a/b", "anna", "anna\0", "b", "company"];
const WEEK: i64 = 7 * 86_400_000;

fn credential(number: usize) -> CredentialId {
    CredentialId(Uuid::from_u128(number as u128))
}

fn connected(number: usize) -> Event {
    CredentialConnected {
        credential: credential(number),
        configuration: credential(number),
        integration: IntegrationId(Uuid::nil()),
        external_id: String::new(),
        provider_id: String::new(),
        sealed: Payload::empty(),
    }
    .into()
}

fn removed(number: usize) -> Event {
    let (credential, integration) = (credential(number), IntegrationId(Uuid::nil()));
    CredentialRemoved { credential, integration, provider_id: String::new() }.into()
}

fn succeeded(story: &Story) -> StepSucceeded {
    StepSucceeded {
        execution: ExecutionId(Uuid::nil()),
        step: StepId(Uuid::nil()),
        index: 0,
        kind: [StepKind::Function, StepKind::Delay, StepKind::Request][story.index(3)],
        attempt: 1,
        started_at: story.at,
        status: None,
        chosen: None,
        input_size: 0,
        output_size: 0,
        sealed: Payload::empty(),
    }
}

/// A page of a request counts as a task; so does its last one, which is a success.
fn fetched(story: &Story) -> PageFetched {
    PageFetched {
        execution: ExecutionId(Uuid::nil()),
        step: StepId(Uuid::nil()),
        index: 0,
        kind: StepKind::Request,
        page: 0,
        attempt: 1,
        started_at: story.at,
        status: None,
        input_size: 0,
        output_size: 0,
        sealed: Payload::empty(),
    }
}

/// What happened, month by month.
#[derive(Default)]
struct Model {
    tasks: BTreeMap<(Month, &'static str), u64>,
    accounts: BTreeMap<&'static str, BTreeSet<usize>>,
    connected: BTreeMap<Month, BTreeSet<&'static str>>,
}

impl Model {
    /// Whoever is connected is so in this month.
    fn look(&mut self, month: Month) {
        let users = self.accounts.iter().filter(|(_, accounts)| !accounts.is_empty());
        let users: Vec<_> = users.map(|(user, _)| *user).collect();
        self.connected.entry(month).or_default().extend(users);
    }
}

#[test]
fn usage_is_what_a_look_at_everything_finds() {
    for seed in 1..=8 {
        let (mut story, mut model) = (Story::new(seed), Model::default());
        let store = Arc::new(ModelStore::default());
        let mut readers = readers(&story.log, &store);
        let first = story.at.month();
        for _ in 0..400 {
            let before = story.at.month();
            if story.index(5) == 0 {
                story.at = story.at.plus_ms(story.index(2 * WEEK as usize) as i64);
            }
            let month = story.at.month();
            (before.0..=month.0).for_each(|month| model.look(Month(month)));
            let user = USERS[story.index(USERS.len())];
            let key = Key::User(PROJECT, user.into());
            let number = story.index(2);
            let accounts = model.accounts.entry(user).or_default();
            let event = match story.index(6) {
                0 => {
                    accounts.insert(number);
                    connected(number)
                }
                1 if accounts.remove(&number) => removed(number),
                2 => {
                    *model.tasks.entry((month, user)).or_default() += 1;
                    fetched(&story).into()
                }
                _ => {
                    let event = succeeded(&story);
                    let tasks = u64::from(event.kind != StepKind::Delay);
                    if tasks > 0 {
                        *model.tasks.entry((month, user)).or_default() += tasks;
                    }
                    event.into()
                }
            };
            story.append(&key, event);
            model.look(month);
            if story.index(4) == 0 {
                fold(&mut readers);
            }
        }
        fold(&mut readers);
        let reader = HistoryReader::new(story.log.clone(), store);
        let last = Month(story.at.month().0 + 2);
        (story.at.month().0..=last.0).for_each(|month| model.look(Month(month)));
        let usage = now(reader.usage(PROJECT, last)).unwrap();
        assert!(usage.len() > 6 && usage[0].month == last, "{usage:?}");
        for row in usage {
            let of_month = model.tasks.iter().filter(|((month, _), _)| *month == row.month);
            let tasks: u64 = of_month.clone().map(|(_, tasks)| tasks).sum();
            assert_eq!(row.tasks, tasks, "{seed} {}", row.month);
            let connected = model.connected.get(&row.month).map_or(0, BTreeSet::len);
            assert_eq!(row.connected_users, connected as u64, "{seed} {}", row.month);
            assert!(row.month >= first);
            let expected: Vec<_> =
                of_month.map(|((_, user), tasks)| ((*user).to_owned(), *tasks)).collect();
            // Page by page.
            let (mut found, mut behind) = (Vec::new(), String::new());
            loop {
                let page = now(reader.usage_of_users(PROJECT, row.month, (&behind, 2))).unwrap();
                let Some(last) = page.last() else { break };
                behind.clone_from(&last.user);
                found.extend(page.into_iter().map(|row| (row.user, row.tasks)));
            }
            assert_eq!(found, expected, "{seed} {}", row.month);
        }
        let nobody = ProjectId(Uuid::from_u128(2));
        assert!(now(reader.usage(nobody, last)).unwrap().is_empty());
    }
}
