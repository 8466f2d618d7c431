use super::*;
use proptest::prelude::*;

fn digest(number: usize) -> Digest {
    Digest::of(&number.to_le_bytes())
}

fn traffic(percents: &[u32]) -> Result<Traffic, TrafficError> {
    let arm =
        |(number, percent): (usize, &u32)| Arm { revision: digest(number), percent: Percent::new(*percent).unwrap() };
    Traffic::new(percents.iter().enumerate().map(arm).collect(), Vec::new(), None)
}

fn percents(traffic: &Traffic) -> Vec<u8> {
    traffic.arms().iter().map(|arm| arm.percent.get()).collect()
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let twice = vec![Arm { revision: digest(1), percent: Percent::new(50).unwrap() }; 2];
    let rule = |name: &str, number| HeaderRule::new(name, "yes", digest(number)).unwrap();
    let arms = || Traffic::all(digest(1)).arms;
    let faults = [
        traffic(&[]).unwrap_err(),
        traffic(&[10; 10]).unwrap_err(),
        traffic(&[90, 5]).unwrap_err(),
        traffic(&[90, 50]).unwrap_err(),
        Traffic::new(twice, Vec::new(), None).unwrap_err(),
        Traffic::new(arms(), (0..9).map(|number| rule(&format!("x-{number}"), 1)).collect(), None).unwrap_err(),
        Traffic::new(arms(), vec![rule("x-beta", 1), rule("X-Beta", 2)], None).unwrap_err(),
    ];
    insta::assert_snapshot!(faults.map(|fault| fault.to_string()).join("\n"));
}

#[test]
fn the_written_form_comes_back_and_is_checked() {
    let rule = HeaderRule::new("x-beta", "yes", digest(7)).unwrap();
    let full = Traffic::new(traffic(&[90, 10]).unwrap().arms, vec![rule], Some(Sticky::default())).unwrap();
    let json = serde_json::to_string_pretty(&full).unwrap();
    insta::assert_snapshot!(json);
    assert_eq!(serde_json::from_str::<Traffic>(&json).unwrap(), full);
    assert_eq!(full.revisions(), [digest(0), digest(1), digest(7)].into());
    let all = serde_json::to_string(&Traffic::all(digest(1))).unwrap();
    assert_eq!(all, format!(r#"{{"arms":[{{"revision":"{}","percent":100}}]}}"#, digest(1)));
    let error = serde_json::from_str::<Traffic>(r#"{"arms":[]}"#).unwrap_err().to_string();
    assert!(error.contains("no revision gets any traffic"), "{error}");
    assert!(serde_json::from_str::<Traffic>(&all.replace("arms", "arm")).is_err());
}

#[test]
fn the_others_make_room_in_proportion() {
    let check = |before: &[u32], percent, expect: &[u8]| {
        let after = traffic(before).unwrap().with_share(digest(99), Percent::new(percent).unwrap());
        assert_eq!(percents(&after), expect, "{before:?} and {percent}");
    };
    check(&[100], 10, &[90, 10]);
    check(&[100], 100, &[100]);
    check(&[50, 50], 10, &[45, 45, 10]);
    check(&[90, 10], 50, &[45, 5, 50]);
    check(&[34, 33, 33], 1, &[33, 33, 33, 1]);
    check(&[99, 1], 90, &[10, 90]);
    check(&[50, 50], 99, &[1, 99]);
    // Nine are too many: the smallest goes, the last of equal ones.
    check(&[20, 20, 10, 10, 10, 10, 10, 10], 10, &[20, 20, 10, 10, 10, 10, 10, 10]);
}

#[test]
fn one_that_is_there_already_gets_another_share() {
    let before = traffic(&[90, 10]).unwrap();
    let after = before.with_share(digest(1), Percent::new(50).unwrap());
    assert_eq!(percents(&after), [50, 50]);
    let alone = Traffic::all(digest(1)).with_share(digest(1), Percent::new(5).unwrap());
    assert_eq!(alone, Traffic::all(digest(1)));
}

#[test]
fn the_others_take_over_in_proportion() {
    let check = |before: &[u32], expect: Option<&[u8]>| {
        let after = traffic(before).unwrap().without(&digest(0));
        assert_eq!(after.as_ref().map(percents).as_deref(), expect, "{before:?}");
    };
    check(&[100], None);
    check(&[10, 90], Some(&[100]));
    check(&[40, 45, 15], Some(&[75, 25]));
    check(&[98, 1, 1], Some(&[50, 50]));
    check(&[97, 1, 1, 1], Some(&[34, 33, 33]));
    let rules = [0, 1].map(|number| HeaderRule::new(&format!("x-{number}"), "yes", digest(number)).unwrap());
    let ruled = Traffic::new(traffic(&[50, 50]).unwrap().arms, rules.to_vec(), Some(Sticky::default())).unwrap();
    let after = ruled.without(&digest(0)).unwrap();
    assert_eq!((after.headers(), after.sticky()), (&rules[1..], ruled.sticky()));
    assert_eq!(after.revisions(), [digest(1)].into());
}

#[test]
fn one_revision_may_be_all_there_is() {
    assert_eq!(Traffic::all(digest(1)).only(), Some(&digest(1)));
    assert_eq!(traffic(&[50, 50]).unwrap().only(), None);
    let with = |number| {
        let rule = HeaderRule::new("x-beta", "yes", digest(number)).unwrap();
        Traffic::new(Traffic::all(digest(1)).arms, vec![rule], None).unwrap()
    };
    assert_eq!((with(1).only(), with(2).only()), (Some(&digest(1)), None));
}

proptest! {
    #[test]
    fn every_share_gets_its_points(cuts in prop::collection::btree_set(1_u32..100, 0..8)) {
        let ends: Vec<u32> = cuts.into_iter().chain([100]).collect();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let shares: Vec<u32> = ends.iter().zip(starts).map(|(end, start)| end - start).collect();
        let traffic = traffic(&shares).unwrap();
        let mut points = vec![0_u32; shares.len()];
        for point in 0..TRAFFIC_POINTS {
            let place = traffic.arms().iter().position(|arm| arm.revision == *traffic.choose(point)).unwrap();
            points[place] += 1;
        }
        let expect: Vec<u32> = shares.iter().map(|share| share * 100).collect();
        prop_assert_eq!(points, expect);
        prop_assert_eq!(traffic.choose(u16::MAX), &traffic.arms().last().unwrap().revision);
    }

    #[test]
    fn shares_stay_whole(steps in prop::collection::vec((0_usize..12, 1_u32..=100), 1..40)) {
        let mut traffic = Traffic::all(digest(100));
        for (number, percent) in steps {
            traffic = traffic.with_share(digest(number), Percent::new(percent).unwrap());
            prop_assert_eq!(check_arms(traffic.arms()), Ok(()));
            let given = traffic.percent(&digest(number)).unwrap();
            prop_assert!(u32::from(given) == percent || traffic.arms().len() == 1);
            let without = traffic.without(&digest(number));
            prop_assert_eq!(without.map(|without| check_arms(without.arms())), (traffic.arms().len() > 1).then_some(Ok(())));
        }
    }
}
