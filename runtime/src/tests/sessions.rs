//! Sessions: cutting into blocks, batches, padding, checkpoints, memory.

use super::{per_row, small_plan};
use crate::{
    Device, Model, Module, Outputs, Piece, Rows, Weights,
    cpu::test_kernels::{ALL, VOCAB, WIDTH},
    plan::{Part, Plan, StateKind},
};

fn model(block_tokens: usize, threads: usize) -> Model {
    let mut plan = small_plan();
    plan.block_tokens = block_tokens;
    plan.validate().unwrap();
    let device = Device::cpu_threads(threads).unwrap();
    Module::from_parts(plan, ALL.to_vec()).bind(device, Weights::random(1)).unwrap()
}

fn tokens(count: usize, seed: usize) -> Vec<u32> {
    (0..count).map(|index| ((index * index + 3 * index + seed) % VOCAB) as u32).collect()
}

/// `y` and logits of all tokens of one sequence, in one block.
fn alone(tokens: &[u32]) -> Outputs {
    model(1000, 1).session().unwrap().step(&[Piece::new(tokens)], Rows::All).unwrap()
}

fn data<'a>(outputs: &'a Outputs, name: &str) -> &'a [f32] {
    &outputs.get(name).unwrap().data
}

#[test]
fn a_sequence_sees_what_the_definition_says() {
    let table = Weights::random_values(1, "embed", &[VOCAB, WIDTH]);
    let x = |token: u32| table[token as usize * WIDTH];
    let outputs = alone(&[2, 5, 1]);
    let expected = 0.5 * (0.5 * x(2) + x(5)) + x(1) + (x(2) + x(5) / 2.0 + x(1) / 3.0) + x(2);
    assert!((data(&outputs, "y")[2 * WIDTH] - expected).abs() < 1e-6);
    assert_eq!(outputs.get("logits").unwrap().rows, 3);
}

#[test]
fn results_do_not_depend_on_cuts_nor_on_the_batch() {
    let sequences = [tokens(11, 0), tokens(0, 0), tokens(1, 4), tokens(6, 2)];
    for (block_tokens, threads) in [(4, 1), (5, 2), (1000, 2)] {
        let model = model(block_tokens, threads);
        let mut session = model.batch(sequences.len()).unwrap();
        let pieces: Vec<Piece> = sequences.iter().map(|tokens| Piece::new(tokens)).collect();
        let outputs = session.step(&pieces, Rows::All).unwrap();
        let together = |name: &str| -> Vec<f32> {
            let nonempty = sequences.iter().filter(|tokens| !tokens.is_empty());
            nonempty.flat_map(|tokens| data(&alone(tokens), name).to_vec()).collect()
        };
        assert_eq!(data(&outputs, "y"), together("y"));
        assert_eq!(data(&outputs, "logits"), together("logits"));
        assert_eq!(session.positions(), [11, 0, 1, 6]);

        // One after the other and token by token, with only the last logits.
        let mut session = model.session().unwrap();
        session.prefill(&sequences[0][..7]).unwrap();
        session.step(&[Piece::new(&sequences[0][7..9])], Rows::None).unwrap();
        session.decode(sequences[0][9]).unwrap();
        let last = session.decode(sequences[0][10]).unwrap();
        assert_eq!(last, data(&alone(&sequences[0]), "logits")[10 * VOCAB..]);
    }
}

#[test]
fn padding_does_not_exist_for_the_sequence() {
    let (padded, mask) = ([0, 3, 0, 0, 5, 1, 0, 0], [false, true, false, false, true, true, false, false]);
    let mut session = model(3, 2).batch(2).unwrap();
    let pieces = [Piece { tokens: &padded, mask: Some(&mask) }, Piece { tokens: &[6], mask: Some(&[false]) }];
    let outputs = session.step(&pieces, Rows::Last).unwrap();
    let logits = outputs.get("logits").unwrap();
    assert_eq!(logits.rows, 1, "a sequence without a real token has no last one");
    assert_eq!(logits.data, data(&alone(&[3, 5, 1]), "logits")[2 * VOCAB..]);
    assert!(outputs.get("y").is_none(), "results of all tokens are for `Rows::All`");
    assert_eq!(session.positions(), [3, 0]);
}

#[test]
fn rollback_brings_back_the_same_bits() {
    let model = model(4, 2);
    let mut session = model.session().unwrap();
    session.prefill(&tokens(60, 1)).unwrap();
    let mark = session.checkpoint().unwrap();
    let states = |session: &crate::Session| ["sum", "cache", "ring"].map(|name| session.state(name).unwrap());
    let before = states(&session);
    assert_eq!(before[1].len(), 60 * WIDTH);

    // Far enough for the cache to grow.
    let first: Vec<_> = tokens(20, 5).into_iter().map(|token| session.decode(token).unwrap()).collect();
    session.rollback(&mark).unwrap();
    assert_eq!(states(&session), before);
    session.prefill(&tokens(9, 3)).unwrap();
    session.rollback(&mark).unwrap();
    let second: Vec<_> = tokens(20, 5).into_iter().map(|token| session.decode(token).unwrap()).collect();
    assert_eq!(first, second);

    // Another session of the model continues from there too, another batch does not.
    let mut other = model.session().unwrap();
    other.rollback(&mark).unwrap();
    assert_eq!(other.decode(tokens(20, 5)[0]).unwrap(), first[0]);
    let error = model.batch(2).unwrap().rollback(&mark).unwrap_err();
    assert_eq!(error.code(), 609);
    assert_eq!(self::model(4, 1).session().unwrap().rollback(&mark).unwrap_err().code(), 609);
}

/// A state may be several of the model's side by side: each is read by its name, and all come back together.
#[test]
fn states_side_by_side_are_read_apart() {
    let mut plan = small_plan();
    for state in &mut plan.states {
        let name = state.parts[0].name.clone();
        let part = |half: &str, first, elements| Part {
            name: format!("{name}.{half}"),
            first,
            elements,
            axes: vec![("width".into(), elements)],
        };
        state.parts = vec![part("left", 0, 1), part("right", 1, WIDTH - 1)];
    }
    plan.validate().unwrap();
    let module = Module::from_parts(plan, ALL.to_vec());
    let joined = module.bind(Device::cpu_threads(1).unwrap(), Weights::random(1)).unwrap();
    let mut apart = joined.batch(2).unwrap();
    let mut whole = model(4, 1).batch(2).unwrap();
    let halves = |session: &crate::Session, name: &str| {
        ["left", "right"].map(|half| session.state(&format!("{name}.{half}")).unwrap())
    };
    let check = |apart: &crate::Session, whole: &crate::Session| {
        for name in ["sum", "cache", "ring"] {
            let [left, right] = halves(apart, name);
            let rows = left.iter().zip(right.chunks(WIDTH - 1));
            let together: Vec<f32> = rows.flat_map(|(left, right)| [&[*left], right].concat()).collect();
            assert_eq!(together, whole.state(name).unwrap(), "{name}");
        }
    };
    let (long, short) = (tokens(70, 1), tokens(5, 3));
    let pieces = [Piece::new(&long), Piece::new(&short)];
    for session in [&mut apart, &mut whole] {
        session.step(&pieces, Rows::None).unwrap();
    }
    check(&apart, &whole);
    assert_eq!(halves(&apart, "cache")[0].len(), 2 * 70);
    assert_eq!(apart.state("sum").unwrap_err().code(), 608);

    let (mark, before) = (apart.checkpoint().unwrap(), ["sum", "cache", "ring"].map(|name| halves(&apart, name)));
    apart.step(&pieces, Rows::None).unwrap();
    assert_ne!(halves(&apart, "sum"), before[0]);
    apart.rollback(&mark).unwrap();
    assert_eq!(["sum", "cache", "ring"].map(|name| halves(&apart, name)), before);
    check(&apart, &whole);
}

#[test]
fn a_session_allocates_what_the_plan_says() {
    let model = model(16, 1);
    let plan = model.plan();
    let mut session = model.batch(3).unwrap();
    let check = |session: &crate::Session| {
        assert_eq!(session.allocated_bytes(), plan.bytes(&session.largest_step()));
    };
    check(&session);
    for length in [1, 5, 40, 100] {
        let tokens = tokens(length, 0);
        session.step(&[Piece::new(&tokens), Piece::default(), Piece::new(&tokens)], Rows::Last).unwrap();
        check(&session);
        let longest = session.positions()[0];
        assert!(session.allocated_bytes() <= plan.peak_memory(3, longest, 1));
    }
    session.step(&[Piece::new(&[1, 2]); 3], Rows::All).unwrap();
    check(&session);
    assert_eq!(
        plan.memory_formula(),
        "weights 175 B + 77 B·B + 32 B·min(B·T, 16) + cache 12 B·B·C where C is T rounded up to a power of two, at least 64"
    );
}

/// What threads work in is no session's, and there however many sessions there are.
#[test]
fn threads_have_memory_of_their_own() {
    let mut plan = small_plan();
    let without = plan.peak_memory(2, 10, 4);
    plan.thread_bytes = 1000;
    assert_eq!(plan.peak_memory(2, 10, 4), without + 4000);
    assert_eq!(plan.memory().bytes_per_thread, 1000);
    assert!(plan.memory_formula().contains(" + 1.00 KB·threads"), "{}", plan.memory_formula());
}

#[test]
fn memory_does_not_grow_with_the_prompt() {
    let mut plan = small_plan();
    // Without the cache, and what uses it, nothing is left that grows.
    plan.states.remove(1);
    plan.launches.remove(1);
    let module = Module::from_parts(plan, ALL.to_vec());
    let model = module.bind(Device::cpu_threads(1).unwrap(), Weights::random(1)).unwrap();
    let allocated = [10, 1000].map(|length| {
        let mut session = model.session().unwrap();
        session.prefill(&tokens(length, 0)).unwrap();
        session.allocated_bytes()
    });
    assert_eq!(allocated[0], allocated[1]);
    assert_eq!(allocated[0], model.plan().peak_memory(1, 1000, 1));
}

#[test]
fn wrong_steps_are_refused_and_change_nothing() {
    let mut session = model(4, 1).batch(2).unwrap();
    let long_mask = Piece { tokens: &[1], mask: Some(&[true, true]) };
    let wrong: [(&[Piece], &str); 5] = [
        (&[Piece::new(&[1])], "there are 1 pieces for 2 sequences"),
        (&[Piece::default(); 2], "the prompt is empty"),
        (&[Piece::new(&[1, 2]), Piece::new(&[3, 7])], "token 7 at place 1 of sequence 1 is out of range"),
        (&[Piece::new(&[u32::MAX]); 2], "token 4294967295 at place 0"),
        (&[long_mask, Piece::default()], "the mask of sequence 0 covers 2 tokens, but there are 1"),
    ];
    for (pieces, message) in wrong {
        let error = session.step(pieces, Rows::All).unwrap_err();
        assert_eq!(error.code(), 608);
        assert!(error.message().starts_with(message), "{error}");
    }
    assert_eq!(session.positions(), [0, 0]);
    assert_eq!(session.state("sum").unwrap(), [0.0; 2 * WIDTH]);
    assert_eq!(session.model().session().unwrap().prefill(&[]).unwrap_err().code(), 608);
    assert_eq!(session.model().batch(0).unwrap_err().code(), 608);
    assert_eq!(session.model().batch(usize::MAX / 2).unwrap_err().code(), 610);
}

#[test]
fn progress_counts_all_tokens() {
    let mut seen = Vec::new();
    model(4, 1).session().unwrap().prefill_with(&tokens(10, 0), &mut |done, all| seen.push((done, all))).unwrap();
    assert_eq!(seen, [(4, 10), (8, 10), (10, 10)]);
}

/// One row of logits would take more than any machine has.
#[test]
fn without_memory_a_session_stays_as_it_is() {
    let mut plan = small_plan();
    plan.slots.push(per_row(1 << 55));
    let module = Module::from_parts(plan, ALL.to_vec());
    let mut session = module.bind(Device::cpu_threads(1).unwrap(), Weights::random(1)).unwrap().session().unwrap();
    session.step(&[Piece::new(&tokens(60, 1))], Rows::None).unwrap();
    let before = (session.largest_step(), session.allocated_bytes(), session.state("cache").unwrap());

    // The step would also have made the cache larger.
    let error = session.prefill(&tokens(20, 5)).unwrap_err();
    assert_eq!(error.code(), 610);
    let start = "there is no memory for a sequence of `small` with room for 128 tokens each in steps of 4 tokens, ";
    assert!(error.message().starts_with(start), "{error}");
    assert_eq!(session.positions(), [60]);
    assert_eq!((session.largest_step(), session.allocated_bytes(), session.state("cache").unwrap()), before);

    session.step(&[Piece::new(&tokens(20, 5))], Rows::None).unwrap();
    let mut other = model(4, 1).session().unwrap();
    other.step(&[Piece::new(&[tokens(60, 1), tokens(20, 5)].concat())], Rows::None).unwrap();
    assert_eq!(session.state("cache").unwrap(), other.state("cache").unwrap());
    assert_eq!(session.state("sum").unwrap(), other.state("sum").unwrap());
}

#[test]
fn without_memory_nothing_is_bound_and_no_session_starts() {
    let bind = |change: fn(&mut Plan)| {
        let mut plan = small_plan();
        change(&mut plan);
        plan.validate().unwrap();
        Module::from_parts(plan, ALL.to_vec()).bind(Device::cpu_threads(1).unwrap(), Weights::random(1))
    };
    let error = bind(|plan| {
        let param = &mut plan.params[0];
        (param.rows, param.shape[0]) = (1 << 55, 1 << 55);
    });
    let error = error.unwrap_err();
    assert_eq!(error.code(), 610);
    assert!(error.message().starts_with("there is no memory for the weights of `small`, 432 PB in all"), "{error}");
    let model = bind(|plan| plan.states[2].kind = StateKind::Ring { capacity: 1 << 55 }).unwrap();
    assert_eq!(model.session().unwrap_err().code(), 610);
}

#[test]
fn threads_have_a_limit() {
    assert_eq!(Device::cpu_threads(100_000).unwrap_err().code(), 611);
}
