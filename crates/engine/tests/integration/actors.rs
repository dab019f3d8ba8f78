//! Holds every profile of an actor to what a profile must be.

use std::collections::BTreeSet;

use portreeve_engine::built_in_profiles;
use portreeve_incident::actor::Stage;

#[test]
fn every_profile_is_read_and_whole() {
    let (profiles, errors) = built_in_profiles();
    assert_eq!(errors, Vec::<String>::new());
    assert!(profiles.iter().any(|profile| profile.id == "lazarus"));
    let sources: BTreeSet<&str> = portreeve_telemetry::sources()
        .iter()
        .map(|source| source.id())
        .collect();
    for profile in &profiles {
        let name = &profile.id;
        assert!(!profile.description.is_empty(), "{name}");
        for stage in [Stage::Leading, Stage::Following] {
            assert!(
                profile.steps.iter().any(|step| step.stage == stage),
                "{name}: a step of each stage"
            );
        }
        // A way goes on: no step of the harm stands before one that leads up to it.
        assert!(profile.steps.is_sorted_by_key(|step| step.stage), "{name}");
        for step in &profile.steps {
            assert!(!step.techniques.is_empty(), "{name}: {}", step.id);
            // The matrix on the page of coverage has a name and a place for each.
            for technique in &step.techniques {
                assert!(technique.title().is_some(), "{name}: {technique}");
            }
            // What is looked for in incidents must be in a log that is read.
            assert!(
                step.shows.is_empty()
                    || step
                        .logs
                        .iter()
                        .any(|log| sources.contains(log.source.as_str())),
                "{name}: {}",
                step.id
            );
        }
        // All that is like the actor together is worth more than any one thing against.
        let like: u32 = profile.steps.iter().map(|step| step.weight).sum();
        assert!(profile.unlike.iter().all(|habit| habit.weight * 4 < like));
    }
}
