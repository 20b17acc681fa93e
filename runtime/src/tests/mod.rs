//! Tests of the runtime without the compiler: a small model whose kernels are part of this program, and artifacts made
//! by the system's C compiler.

mod artifacts;
mod kernels;
mod sessions;
mod weights;

use crate::{
    cpu::test_kernels::{RING, VOCAB, WIDTH},
    plan::{Buffer, DType, FORMAT, Input, Launch, Layout, Linear, Output, Param, Plan, State, StateKind, Target},
};

fn per_token(factor: usize) -> Linear {
    Linear { tokens: factor, ..Linear::default() }
}

fn per_sequence(factor: usize) -> Linear {
    Linear { sequences: factor, ..Linear::default() }
}

fn per_row(factor: usize) -> Linear {
    Linear { rows: factor, ..Linear::default() }
}

fn matrix(name: &str, rows: usize, columns: usize, layout: Layout) -> Param {
    Param {
        name: name.into(),
        tensor: name.into(),
        shape: vec![rows, columns],
        first: 0,
        rows,
        columns,
        dtype: DType::F32,
        layout,
    }
}

fn input(name: &str) -> Buffer {
    Buffer::Input(name.into())
}

/// A plan without contents for this machine, with the inputs of models.
fn empty_plan() -> Plan {
    let given = |name: &str, elements| Input { name: name.into(), dtype: DType::I32, elements };
    Plan {
        format: FORMAT,
        momc: env!("CARGO_PKG_VERSION").into(),
        model: "small".into(),
        vocab_size: VOCAB,
        layers: 1,
        eos_token: None,
        memories: 0,
        target: Target {
            name: "native".into(),
            arch: std::env::consts::ARCH.into(),
            groups: false,
            features: Vec::new(),
        },
        block_tokens: 4,
        inputs: vec![
            given("tokens", per_token(1)),
            given("position", per_token(1)),
            given("cu_seqlens", Linear { constant: 1, ..per_sequence(1) }),
            given("rows", per_row(1)),
        ],
        params: Vec::new(),
        ignored_tensors: Vec::new(),
        states: Vec::new(),
        slots: Vec::new(),
        thread_bytes: 0,
        outputs: Vec::new(),
        kernels: Vec::new(),
        launches: Vec::new(),
    }
}

/// A plan for the kernels of [`crate::cpu::test_kernels`].
fn small_plan() -> Plan {
    let state = |name: &str, kind| State::whole(name, vec![("width".into(), WIDTH)], kind);
    // Costs that make some launches parallel.
    let launch =
        |kernel, rows, buffers| Launch { kernel, buffers, rows, chunk: 1, times: 1, item_ns: 15_000, token_ns: 0 };
    Plan {
        params: vec![matrix("embed", VOCAB, WIDTH, Layout::RowMajor), matrix("head", VOCAB, WIDTH, Layout::Transposed)],
        states: vec![
            state("sum", StateKind::Fixed),
            state("cache", StateKind::Context),
            state("ring", StateKind::Ring { capacity: RING }),
        ],
        slots: vec![Linear { sequences: 5, constant: 3, ..Linear::default() }, per_token(4 * WIDTH)],
        outputs: vec![
            Output { name: "logits".into(), rows: per_row(1), columns: VOCAB },
            Output { name: "y".into(), rows: per_token(1), columns: WIDTH },
        ],
        kernels: ["embed", "remember", "logits"].map(String::from).into(),
        launches: vec![
            launch(0, per_token(1), vec![Buffer::Param(0), input("tokens"), Buffer::Slot(1)]),
            launch(
                1,
                per_sequence(1),
                vec![
                    Buffer::Slot(1),
                    input("position"),
                    input("cu_seqlens"),
                    Buffer::State(0),
                    Buffer::State(1),
                    Buffer::State(2),
                    Buffer::Output(1),
                ],
            ),
            launch(2, per_row(1), vec![Buffer::Output(1), input("rows"), Buffer::Param(1), Buffer::Output(0)]),
        ],
        ..empty_plan()
    }
}
