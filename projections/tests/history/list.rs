//! Lists and totals, for any filter, while events come in batches of any size.

use crate::story::Story;
use crate::{fold, now, readers, rows};
use ports::model::store::ModelStore;
use projections::history::HistoryReader;
use std::sync::Arc;

/// Asks at random and compares; gives on how many pages there was anything.
fn assert_answers(story: &Story, reader: &HistoryReader, questions: usize) -> usize {
    let mut filled = 0;
    for _ in 0..questions {
        let (project, filter) = story.question();
        let found = now(reader.list(project, &filter)).unwrap();
        let ids: Vec<_> = found.rows.iter().map(|row| row.id).collect();
        let (expected, total) = story.answer(project, &filter);
        assert_eq!(found.total, total, "{filter:?}");
        assert_eq!(ids, expected, "{filter:?}");
        filled += usize::from(!ids.is_empty());
    }
    filled
}

/// Folds while the story goes on, in batches of up to so many events; asks in between.
fn told(seed: u64, batch_len_max: usize) -> (Story, Arc<ModelStore>) {
    let mut story = Story::new(seed);
    let store = Arc::new(ModelStore::default());
    let mut readers = readers(&story.log, &store);
    let reader = HistoryReader::new(story.log.clone(), store.clone());
    let mut filled = 0;
    for round in 0..40 {
        for _ in 0..80 {
            for _ in 0..=story.index(batch_len_max) {
                story.go_on();
            }
            let any = story.index(readers.len());
            fold(&mut readers[any..=any]);
            if story.known.len() > (round + 1) * 150 {
                break;
            }
        }
        fold(&mut readers);
        filled += assert_answers(&story, &reader, 30);
    }
    assert!(story.known.len() > 4_000 && filled > 300, "{} {filled}", story.known.len());
    (story, store)
}

#[test]
fn a_list_finds_what_a_look_at_every_execution_finds() {
    for seed in 1..=4 {
        let (story, store) = told(seed, 40);
        let reader = HistoryReader::new(story.log.clone(), store);
        assert!(assert_answers(&story, &reader, 1_000) > 300);
    }
}

#[test]
fn rows_do_not_tell_in_which_batches_their_events_came() {
    for (seed, batch_len_max) in [(5, 1), (6, 3), (7, 300)] {
        let (story, store) = told(seed, batch_len_max);
        let fresh = Arc::new(ModelStore::default());
        fold(&mut readers(&story.log, &fresh));
        let (live, fresh) = (rows(&store), rows(&fresh));
        assert_eq!(live.len(), fresh.len());
        for (live, fresh) in live.iter().zip(&fresh) {
            assert_eq!(live, fresh);
        }
    }
}
