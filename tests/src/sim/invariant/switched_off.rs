//! Nothing starts, and no schedule fires or waits, for a disabled user, of a workflow that is
//! switched off or not deployed, or of an inactive integration; and only for that does a schedule
//! wait no more.

use super::Breach;
use super::switches::Switches;
use crate::sim::configs::Configs;
use crate::sim::transcript::Part;
use domain::event::Event;

const NAME: &str = "what is disabled starts nothing";

pub(super) fn check(parts: &[Part], configs: &Configs) -> Result<(), Breach> {
    let mut switches = Switches::default();
    for (offset, event) in parts.iter().flat_map(|part| &part.runs).flatten() {
        switches.fold(event);
        let (what, place) = match &event.body {
            Event::ExecutionStarted(e) => ("a run", (e.workflow, e.credential)),
            Event::ScheduleFired(e) => ("a firing", (e.workflow, e.credential)),
            Event::ScheduleSet(e) if e.due.is_some() => ("a wait", (e.workflow, e.credential)),
            Event::ScheduleSet(e) => {
                let place = (e.workflow, e.credential);
                if switches.against(configs, event, place).is_none() {
                    let found = format!("{:?} of {} at {offset}", e.code, event.meta.key);
                    return Err(Breach::new("a schedule that is on waits", "a moment", found));
                }
                continue;
            }
            _ => continue,
        };
        if let Some(why) = switches.against(configs, event, place) {
            let found = format!("{what} of {} for {} at {offset}", place.0, event.meta.key);
            return Err(Breach::new(NAME, format!("nothing: {why}"), found));
        }
    }
    Ok(())
}
