//! Faults that are planted into a kernel for groups of threads: the emulated device finds each of them.

use super::*;

/// What is wrong with a kernel.
#[derive(Debug, PartialEq)]
enum Found {
    Fault(Fault),
    Wrong,
    Nothing,
}

/// Runs the chunk form of the gated delta rule with a planted fault.
fn plant(fault: impl FnOnce(String) -> String) -> Found {
    let [_, emulated] = targets();
    let forms = forms([20, 40], 8, 1, 2).into_iter();
    let one = forms.into_iter().find(|one| one.name == "gated_delta_rule_chunk").expect("a chunk form");
    let module = compile_as(&emulated, vec![scan(&emulated, &one, 1, plain(&one, false))], fault);
    let data = Data::new(&one, &[19, 9], 1, false, &mut Numbers::new(11));
    match try_check(&module, 0, &one, &data) {
        Err(fault) => Found::Fault(fault),
        Ok(error) if error > bound(&one) => Found::Wrong,
        Ok(_) => Found::Nothing,
    }
}

const SYNC: &str = "llvm.call @momc_sync() : () -> ()\n";

#[test]
fn as_it_is() {
    assert_eq!(plant(|text| text), Found::Nothing);
}

#[test]
fn no_barriers() {
    let found = plant(|text| text.replace(SYNC, ""));
    assert!(matches!(found, Found::Fault(Fault::Race(..))), "{found:?}");
}

/// A barrier of a loop that only some threads pass.
#[test]
fn a_barrier_for_some() {
    let found = plant(|text| {
        let some = "%three = arith.constant 3 : i64\n%some = arith.cmpi sle, %5, %three : i64\nscf.if %some {\n";
        text.replacen(SYNC, &format!("{some}{SYNC}}}\n"), 1)
    });
    assert!(matches!(found, Found::Fault(_)), "{found:?}");
}

/// Stores one element further on. Some are in branches that this data does not take.
#[test]
fn a_stride_that_is_off_by_one() {
    let stores = |text: &str| text.matches("llvm.store").count();
    let mut count = 0;
    plant(|text| {
        count = stores(&text);
        text
    });
    let stores = [0, count / 3, 2 * count / 3, count - 1];
    let found = stores.map(|number| {
        plant(|text| {
            let (at, _) = text.match_indices("llvm.store").nth(number).expect("a store");
            let line = text[at..].lines().next().expect("a line");
            let place = line.split(", %").nth(1).and_then(|rest| rest.split(' ').next()).expect("a place");
            let made = format!("%{place} = llvm.getelementptr inbounds ");
            let (before, after) = text.split_once(&made).expect("an address");
            let (address, after) = after.split_once('\n').expect("a line");
            let index = address.split(['[', ']']).nth(1).expect("an index");
            let moved = address.replacen(index, "%off", 1);
            format!(
                "{before}%one = arith.constant 1 : i64\n%off = arith.addi {index}, %one : i64\n{made}{moved}\n{after}"
            )
        })
    });
    let nothing = found.iter().filter(|found| **found == Found::Nothing).count();
    assert!(nothing < 2, "{found:?}");
}

/// Threads that give to the wrong others.
#[test]
fn lanes_that_are_swapped() {
    let found = plant(|text| {
        assert!(text.contains("arith.xori"), "the kernel sums over lanes");
        text.replacen("arith.xori", "arith.ori", 1)
    });
    assert_ne!(found, Found::Nothing);
}
