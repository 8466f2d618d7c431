use super::*;
use proptest::prelude::*;

fn digest(number: u8) -> Digest {
    Digest::of(&[number])
}

fn desired() -> DesiredDeploy {
    let all: BTreeSet<Digest> = (1..=3).map(digest).collect();
    DesiredDeploy { components: all.clone(), units: all, at_us: 1_000, phase: DeployPhase::Received }
}

fn failed(text: &str) -> Observation {
    Observation::Failed(DeployFailure::new(DeployPhase::Probed, text, "mend it"))
}

#[test]
fn each_step_follows_from_what_is_there() {
    let all: BTreeSet<Digest> = desired().components;
    let mut observed = ObservedDeploy { now_us: 1_000, ..ObservedDeploy::default() };
    let check = |observed: &ObservedDeploy, expect| assert_eq!(reconcile(&desired(), observed), expect);
    check(&observed, DeployStep::Refuse(all.iter().copied().collect()));
    observed.blobs = all.clone();
    check(&observed, DeployStep::Compile(all.iter().copied().collect()));
    observed.compiled = all.iter().skip(1).copied().collect();
    check(&observed, DeployStep::Compile(all.iter().take(1).copied().collect()));
    observed.compiled = all;
    check(&observed, DeployStep::Link);
    observed.linked = Observation::Done;
    check(&observed, DeployStep::Probe);
    observed.probed = Observation::Done;
    check(&observed, DeployStep::GoLive);
    // A probe is worth nothing without what it went through.
    observed.linked = Observation::Open;
    check(&observed, DeployStep::Link);
    for phase in [DeployPhase::Live, DeployPhase::Failed] {
        assert_eq!(reconcile(&DesiredDeploy { phase, ..desired() }, &observed), DeployStep::Done);
    }
}

#[test]
fn what_is_composed_is_compiled_as_one() {
    let desired = DesiredDeploy { units: [digest(9)].into(), ..desired() };
    let mut observed = ObservedDeploy { now_us: 1_000, blobs: desired.components.clone(), ..ObservedDeploy::default() };
    assert_eq!(reconcile(&desired, &observed), DeployStep::Compile(vec![digest(9)]));
    observed.compiled = desired.units.clone();
    assert_eq!(reconcile(&desired, &observed), DeployStep::Link);
}

#[test]
fn what_cannot_be_done_ends_it() {
    let all = desired().components;
    let ready = ObservedDeploy { now_us: 1_000, blobs: all.clone(), compiled: all, ..ObservedDeploy::default() };
    let failures = [
        ObservedDeploy { compiling: failed("compile"), ..ready.clone() },
        ObservedDeploy { linked: failed("link"), ..ready.clone() },
        ObservedDeploy { probed: failed("probe"), ..ready.clone() },
        ObservedDeploy { live: failed("live"), ..ready.clone() },
        ObservedDeploy { now_us: 1_001 + 30 * 60 * 1_000_000, ..ready.clone() },
        ObservedDeploy { blobs: BTreeSet::new(), ..ready.clone() },
        ObservedDeploy { blobs: [digest(1), digest(2)].into(), ..ready },
    ];
    let texts = failures.map(|observed| {
        let failure = reconcile(&desired(), &observed).failure().unwrap();
        format!("{}: {failure}", failure.phase)
    });
    insta::assert_snapshot!(texts.join("\n"));
}

/// What can happen between two looks: a step is done, or not, or undone by a restart, or cannot be done.
#[derive(Debug, Clone, Copy)]
enum Chance {
    Works,
    Nothing,
    Restart,
    Breaks,
}

fn chances() -> impl Strategy<Value = Vec<Chance>> {
    let chance = prop_oneof![
        8 => Just(Chance::Works),
        2 => Just(Chance::Nothing),
        2 => Just(Chance::Restart),
        1 => Just(Chance::Breaks),
    ];
    prop::collection::vec(chance, 0..40)
}

proptest! {
    /// Whatever happens in whatever order, a deploy ends, and is never live before all of it is ready.
    #[test]
    fn every_deploy_ends(chances in chances(), sent in 0_u8..=3, minute in 1_u64..4) {
        let mut desired = desired();
        let mut observed = ObservedDeploy { blobs: (1..=3).map(digest).collect(), ..ObservedDeploy::default() };
        if sent == 0 {
            observed.blobs.remove(&digest(1));
        }
        let mut chances = chances.into_iter();
        let mut ended = false;
        for round in 0..2_000 {
            observed.now_us = 1_000 + round * minute * 60_000_000;
            let step = reconcile(&desired, &observed);
            if let Some(failure) = step.failure() {
                prop_assert!(!failure.message.is_empty() && !failure.next.is_empty());
                desired.phase = DeployPhase::Failed;
            }
            if step == DeployStep::Done || desired.phase == DeployPhase::Failed {
                ended = true;
                break;
            }
            // When chance runs out nothing ever happens again, and time ends it.
            take(&step, chances.next().unwrap_or(Chance::Nothing), &mut desired, &mut observed)?;
        }
        prop_assert!(ended, "{observed:?}");
        prop_assert_eq!(reconcile(&desired, &observed), DeployStep::Done);
    }
}

fn take(
    step: &DeployStep,
    chance: Chance,
    desired: &mut DesiredDeploy,
    observed: &mut ObservedDeploy,
) -> Result<(), TestCaseError> {
    match (chance, step) {
        (Chance::Nothing, _) => {}
        (Chance::Restart, _) => {
            // What is kept is there still, if it is; what was done in memory is gone.
            (observed.linked, observed.probed) = (Observation::Open, Observation::Open);
            observed.compiled.pop_first();
        }
        (Chance::Breaks, DeployStep::Compile(_)) => observed.compiling = failed("compile"),
        (Chance::Breaks, DeployStep::Link) => observed.linked = failed("link"),
        (Chance::Breaks, DeployStep::Probe) => observed.probed = failed("probe"),
        (Chance::Breaks, _) => observed.live = failed("live"),
        (Chance::Works, DeployStep::Compile(missing)) => observed.compiled.extend(missing.first()),
        (Chance::Works, DeployStep::Link) => {
            prop_assert!(observed.compiled.is_superset(&desired.components));
            observed.linked = Observation::Done;
        }
        (Chance::Works, DeployStep::Probe) => {
            prop_assert_eq!(&observed.linked, &Observation::Done);
            observed.probed = Observation::Done;
        }
        (Chance::Works, _) => {
            prop_assert_eq!(step, &DeployStep::GoLive);
            prop_assert!(observed.compiled.is_superset(&desired.components));
            prop_assert_eq!((&observed.linked, &observed.probed), (&Observation::Done, &Observation::Done));
            desired.phase = DeployPhase::Live;
        }
    }
    Ok(())
}
