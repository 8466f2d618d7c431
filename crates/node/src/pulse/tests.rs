use super::*;
use cumulet_spec::traffic::Percent;

fn id(number: usize) -> AppId {
    format!("acme/app-{number}").parse().unwrap()
}

fn digest(number: usize) -> Digest {
    Digest::of(&number.to_le_bytes())
}

fn usage(wall_us: u64) -> Usage {
    Usage { wall_us, executed_us: 10, memory_peak_bytes: wall_us, bytes_out: 1, ..Usage::default() }
}

fn pulse() -> Pulse {
    Pulse::new(Calendar::start(), 0)
}

fn read(pulse: &Pulse, number: usize) -> Option<AppPulse> {
    let app = id(number);
    pulse.read(|id| *id == app).pop().map(|(_, pulse)| pulse)
}

#[test]
fn an_app_has_the_sums_of_all_its_revisions() {
    let (pulse, app) = (pulse(), id(1));
    let revisions = 2 * REVISIONS_MAX;
    for number in 0..revisions {
        let outcome = if number == 0 { Outcome::Trap } else { Outcome::Ok };
        pulse.note((&app, digest(number)), (outcome, 200, &usage(100)), number as u64);
    }
    pulse.note((&app, digest(revisions - 1)), (Outcome::Ok, 503, &usage(1_000)), 99);
    pulse.note((&app, digest(revisions - 1)), (Outcome::ClientGone, 499, &usage(1)), 98);
    pulse.woke(&app, 97);
    let found = read(&pulse, 1).unwrap();
    assert_eq!((found.all.requests(), found.all.errors, found.all.executed_us), (18, 2, 180));
    assert_eq!((found.all.memory_peak_bytes, found.all.bytes_out), (1_000, 18));
    assert_eq!((found.cold_starts, found.last_us, found.revisions.len()), (1, 99, REVISIONS_MAX));
    let last = found.revisions.iter().find(|(id, _)| *id == digest(revisions - 1)).unwrap();
    assert_eq!((last.1.requests(), last.1.errors), (3, 1));
    assert!(read(&pulse, 2).is_none());
}

#[test]
fn what_was_not_heard_of_for_longest_is_forgotten_and_trials_are_not() {
    let pulse = pulse();
    let bounds = Rollout { errors: Some(Percent::new(10).unwrap()), ..Rollout::default() };
    pulse.try_out(&id(0), digest(0), &bounds, 0);
    for number in 1..=APPS_MAX {
        pulse.note((&id(number), digest(0)), (Outcome::Ok, 200, &usage(1)), number as u64);
    }
    assert_eq!(pulse.read(|_| true).len(), APPS_MAX - APPS_MAX / FORGOTTEN_PART + 1);
    assert!(read(&pulse, 0).is_some() && read(&pulse, 1).is_none() && read(&pulse, APPS_MAX).is_some());
}

#[test]
fn a_trial_is_judged_once_by_what_is_the_apps_to_answer() {
    let (pulse, app) = (pulse(), id(0));
    let mut verdicts = pulse.verdicts().unwrap();
    let bounds = Rollout { errors: Some(Percent::new(10).unwrap()), requests: 3, ..Rollout::default() };
    for _ in 0..2 {
        pulse.try_out(&app, digest(0), &bounds, 0);
        let note = |outcome| pulse.note((&app, digest(0)), (outcome, outcome.status(), &usage(1)), 7);
        for outcome in [Outcome::Shed, Outcome::ClientGone, Outcome::HostError, Outcome::Trap, Outcome::Trap] {
            note(outcome);
        }
        // Told again while it is under way, it goes on.
        pulse.try_out(&app, digest(0), &bounds, 0);
        assert!(verdicts.try_recv().is_err());
        note(Outcome::CpuLimit);
        note(Outcome::Trap);
        let verdict = Verdict::TakeBack("3 of 3 requests failed, and 10 in 100 may".to_owned());
        assert_eq!(verdicts.try_recv(), Ok(Judged { app: app.clone(), revision: digest(0), verdict, at_us: 7 }));
        assert!(verdicts.try_recv().is_err());
    }
}
