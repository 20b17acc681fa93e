//! What a layer part means, and what is said about one that means nothing.

use std::collections::BTreeMap;

use super::{
    super::{BUILTIN, File, parse},
    Kind, Layer, Role,
};
use crate::diagnostic::{Diagnostics, Source};

fn read(text: &str) -> Result<File, Diagnostics> {
    parse(&Source::new("test.mom", text))
}

/// A layer part of `rule r(k: key, b: scalar)`, whose output is `o: key`.
fn with_layer(layer: &str) -> Result<Layer, Diagnostics> {
    let text =
        format!("rule r(k: key, b: scalar) {{ state h: key\n next h = h + b * k\n out o = h }}\nlayer {{\n{layer}\n}}");
    read(&text).and_then(|file| file.layer(&BTreeMap::new())).map(Option::unwrap)
}

#[test]
fn the_layer_says_which_weights_are_per_memory() {
    let (_, text) = BUILTIN.iter().find(|(name, _)| *name == "gated_delta_rule").unwrap();
    let layer = read(text).unwrap().layer(&BTreeMap::new()).unwrap().unwrap();
    let parts = layer.named("beta").unwrap().value.parts();
    let projection = Kind::Project { weight: "b_proj".into(), of: "hidden".into(), per_memory: true };
    assert!(parts.iter().any(|part| part.kind == projection));
}

#[test]
fn without_an_output_line_the_layer_ends_as_a_mom_layer_does() {
    let layer = with_layer("k = project(k_proj)\nb = project(b_proj)").unwrap();
    let said = with_layer(
        "weight o_norm: key\nk = project(k_proj)\nb = project(b_proj)\noutput = rms_norm(o, o_norm) * gate(silu(project(g_proj)))",
    );
    let kinds = |layer: &Layer| {
        let output = layer.definition(Role::Output).unwrap();
        output.value.parts().iter().map(|part| format!("{:?}", std::mem::discriminant(&part.kind))).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&layer), kinds(&said.unwrap()));
    assert_eq!(layer.weights[0].axes, ["key"]);
}

#[test]
fn settings_are_numbers_and_sizes() {
    let layer = with_layer(
        "option half = 1 / 2\naxis rank = key * 2\naxis low = rank - layer_count\nlet a: low = project(a_proj)
         k = half * project(k_proj, a)\nlet c: rank = project(c_proj)\nb = project(b_proj, c)",
    )
    .unwrap();
    let sizes = BTreeMap::from([("key".to_owned(), 8)]);
    let numbers = |set| layer.numbers(&sizes, [0.0, 3.0], &set);
    let found = numbers(BTreeMap::new()).unwrap();
    assert_eq!((found["half"], found["rank"], found["low"]), (0.5, 16.0, 13.0));
    assert_eq!(numbers(BTreeMap::from([("rank".to_owned(), 5.0)])).unwrap()["low"], 2.0);
    let wrong = numbers(BTreeMap::from([("rank".to_owned(), 2.5)])).unwrap_err();
    assert_eq!(wrong[0].message, "`rank` is 2.5, which is not a whole number from 1");
}

fn first_of(found: &Diagnostics) -> String {
    format!("{} {} | {}", found[0].code, found[0].message, found[0].help.as_deref().unwrap_or_default())
}

/// The layer part of `rule r(k: key, b: scalar)` and what is said about it.
const WRONG_LAYERS: &[(&str, &str)] = &[
    ("k = project(k_proj)", "E0220 the layer does not make the input `b` | write `b = project(…)`"),
    ("k = project(p)\nb = project(r)\nc = project(s)", "E0220 the update rule has no input `c` | known here: `k`, `b`"),
    (
        "k = project(p)\nb = exp(A)\nweight A: head",
        "E0220 `b` is the same for all tokens | make it from the hidden states with `project(…)`",
    ),
    (
        "k = project(g_proj)\nb = project(r)",
        "E0213 `g_proj` is a weight of every layer that does not say what its `output` is | choose another name, or write `output = …`",
    ),
    (
        "k = project(p)\nb = project(p)",
        "E0213 `p` is used as two different weights | a weight has one set of axes, and is either one for all memories or one per memory",
    ),
    (
        "k = project(p)\nb = project(r) + A\nweight A: key",
        "E0214 the weight `A` has the axis `key`, and this definition has only `head` | ",
    ),
    ("k = project(p)\nb = l2_norm(project(r))", "E0215 `l2_norm` needs a vector, made by a projection | "),
    ("k = short_conv(project(p))\nb = project(r)", "E0215 `short_conv` takes 2 arguments, found 1 | "),
    (
        "k = project(p) + dt\nb = project(r)",
        "E0211 no weight is called `dt` | declare it, as in `weight dt: head`, or write `project(dt)`",
    ),
    (
        "k = p per memory\nb = project(r)",
        "E0219 `per memory` outside of `project(…)` has no meaning in the layer part | write `project(p per memory)`",
    ),
    ("weight A: head\nk = project(p)\nb = project(r)", "E0218 the weight `A` is never used | use it or take it out"),
];

#[test]
fn a_wrong_layer_is_answered() {
    for (layer, expected) in WRONG_LAYERS {
        assert_eq!(first_of(&with_layer(layer).expect_err(layer)), *expected, "\n{layer}");
    }
}

#[test]
fn a_variant_changes_what_the_layer_makes() {
    let text = "rule r(k: key, b: scalar) { state h: key\n next h = h + b * k\n out o = h }
        variant wide(b: key) {}
        variant raw(a: scalar) { b = sigmoid(a) }
        variant full() { b = 1 }
        layer { k = project(k_proj)\n b = project(b_proj) }";
    let with = |variant: &str| read(text).unwrap().layer(&BTreeMap::from([(variant.to_owned(), 1.0)]));
    let layer = with("wide").unwrap().unwrap();
    assert_eq!(layer.named("b").unwrap().axes, ["head", "key"]);
    let refused = with("raw").unwrap_err();
    assert_eq!(refused[0].message, "the layer part of `r` does not make what the rule takes with `raw` on");
    assert_eq!(refused[0].related.len(), 1);
    // What makes an input that is not taken any more stands for nothing.
    let layer = with("full").unwrap().unwrap();
    assert_eq!([0, 1].map(|number| layer.definition(Role::Input(number)).is_some()), [true, false]);
}
