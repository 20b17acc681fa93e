//! Weights: what is read from files, and what is said of files and tensors that do not fit.

use std::{collections::HashMap, fs, path::Path};

use safetensors::{Dtype, tensor::TensorView};

use super::{matrix, small_plan};
use crate::{
    Device, Error, Module, Weights,
    cpu::test_kernels::{ALL, VOCAB, WIDTH},
    pack::Packed,
    plan::{DType, Layout},
};

const SHAPE: [usize; 2] = [VOCAB, WIDTH];

/// Numbers that bf16 and f16 hold exactly.
fn numbers() -> Vec<f32> {
    (0..VOCAB * WIDTH).map(|index| index as f32 / 4.0 - 2.0).collect()
}

fn bytes(dtype: Dtype) -> Vec<u8> {
    let encode = |value: f32| match dtype {
        Dtype::BF16 => half::bf16::from_f32(value).to_le_bytes().to_vec(),
        Dtype::F16 => half::f16::from_f32(value).to_le_bytes().to_vec(),
        _ => value.to_le_bytes().to_vec(),
    };
    numbers().into_iter().flat_map(encode).collect()
}

fn save(path: &Path, tensors: &[(&str, Dtype)]) {
    let data: Vec<Vec<u8>> = tensors.iter().map(|(_, dtype)| bytes(*dtype)).collect();
    let views = tensors.iter().zip(&data);
    let views: HashMap<_, _> =
        views.map(|((name, dtype), data)| (*name, TensorView::new(*dtype, SHAPE.into(), data).unwrap())).collect();
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn bind(weights: Weights) -> Result<crate::Model, Error> {
    Module::from_parts(small_plan(), ALL.to_vec()).bind(Device::cpu_threads(1)?, weights)
}

#[test]
fn files_of_every_kind_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let expected = [("embed", SHAPE.into(), numbers()), ("head", SHAPE.into(), numbers())];
    let expected = expected.map(|(name, shape, values)| (name.to_string(), shape, values));
    let expected = bind(Weights::from_tensors(expected.into())).unwrap().session().unwrap().prefill(&[1, 2]).unwrap();
    let check = |path: &Path| {
        let logits = bind(Weights::open(path).unwrap()).unwrap().session().unwrap().prefill(&[1, 2]).unwrap();
        assert_eq!(logits, expected);
    };
    let [first, second] = ["first.safetensors", "second.safetensors"].map(|name| folder.path().join(name));
    save(&first, &[("embed", Dtype::F16)]);
    save(&second, &[("head", Dtype::BF16)]);
    let index = folder.path().join("model.safetensors.index.json");
    let map = r#"{"metadata": {}, "weight_map": {"embed": "first.safetensors", "head": "second.safetensors"}}"#;
    fs::write(&index, map).unwrap();
    check(&index);
    check(folder.path());
    let single = folder.path().join("model.safetensors");
    save(&single, &[("embed", Dtype::F32), ("head", Dtype::F32)]);
    check(&single);
    check(folder.path());
}

#[test]
fn broken_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let code = |path: &Path| Weights::open(path).unwrap_err().code();
    assert_eq!(code(&folder.path().join("absent.safetensors")), 601);
    assert_eq!(code(folder.path()), 606, "no weights in the folder");

    let path = folder.path().join("model.safetensors");
    save(&path, &[("embed", Dtype::F32), ("head", Dtype::F32)]);
    let whole = fs::read(&path).unwrap();
    for length in [0, 7, 8, 40, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(code(&path), 606, "the first {length} bytes");
    }
    fs::write(&path, [&u64::MAX.to_le_bytes()[..], b"{}"].concat()).unwrap();
    assert_eq!(code(&path), 606, "a header longer than the file");

    let index = folder.path().join("model.safetensors.index.json");
    save(&path, &[("embed", Dtype::F32)]);
    for (map, code_of_map) in [
        ("{", 606),
        (r#"{"weight_map": {"head": "model.safetensors"}}"#, 606),
        (r#"{"weight_map": {"head": "../model.safetensors"}}"#, 606),
        (r#"{"weight_map": {"head": "absent.safetensors"}}"#, 601),
    ] {
        fs::write(&index, map).unwrap();
        assert_eq!(code(&index), code_of_map, "{map}");
    }
}

#[test]
fn all_problems_of_a_checkpoint_are_listed() {
    let tensors = vec![("head".to_string(), vec![WIDTH, VOCAB], numbers()), ("extra".to_string(), vec![1], vec![0.0])];
    let error = bind(Weights::from_tensors(tensors)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "E0607: the weights do not fit the model `small`:\n  \
         - `embed` is missing\n  \
         - `extra` has no place in the model\n  \
         - `head` has shape [3, 7], the model wants [7, 3]"
    );
    let many = (0..15).map(|index| (format!("extra.{index:02}"), vec![1], vec![0.0])).collect();
    let Error::Weights { problems, more, .. } = bind(Weights::from_tensors(many)).unwrap_err() else { panic!() };
    assert_eq!((problems.len(), more), (10, 7));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("integers.safetensors");
    save(&path, &[("embed", Dtype::F32), ("head", Dtype::I32)]);
    let error = bind(Weights::open(&path).unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("\n  - `head` holds I32; weights may be F32, BF16 or F16"), "{error}");
}

#[test]
fn ignored_tensors_may_be_there_and_equal_parameters_share_memory() {
    let mut plan = small_plan();
    plan.ignored_tensors = vec!["extra.*".into()];
    let twin = |name: &str, dtype| {
        let mut param = matrix("embed", VOCAB, WIDTH, Layout::Panels { width: 2 });
        (param.name, param.dtype) = (name.into(), dtype);
        param
    };
    plan.params.extend([twin("a", DType::Bf16), twin("b", DType::Bf16), twin("c", DType::F32)]);
    plan.validate().unwrap();
    // 1 + 1/256 lies halfway between two bf16 numbers and goes to the even one, 1 + 3/256 to the other side.
    let mut values = numbers();
    values[..2].copy_from_slice(&[1.0 + 1.0 / 256.0, 1.0 + 3.0 / 256.0]);
    let tensors = vec![
        ("embed".to_string(), SHAPE.into(), values),
        ("head".to_string(), SHAPE.into(), numbers()),
        ("extra.0".to_string(), vec![1], vec![0.0]),
    ];
    let bound = crate::bind::bind(&plan, &Weights::from_tensors(tensors)).unwrap();
    assert!(std::sync::Arc::ptr_eq(&bound[2], &bound[3]) && !std::sync::Arc::ptr_eq(&bound[2], &bound[4]));
    let Packed::Bf16(packed) = &*bound[2] else { panic!() };
    let packed: Vec<f32> = packed.as_slice().iter().map(|&bits| half::bf16::from_bits(bits).to_f32()).collect();
    assert_eq!(packed[..6], [1.0, numbers()[3], 1.015625, numbers()[4], numbers()[2], numbers()[5]]);
    let bytes = 4 * (21 + 21 + 24) + 2 * 24;
    assert_eq!(plan.weight_bytes(), bytes);
}

/// Kernels that want one weight otherwise each find it as they want it.
#[test]
fn one_weight_may_be_there_in_two_layouts() {
    let mut plan = small_plan();
    plan.params.push(matrix("embed", VOCAB, WIDTH, Layout::Transposed));
    plan.validate().unwrap();
    let tensors = ["embed", "head"].map(|name| (name.to_string(), SHAPE.into(), numbers()));
    let bound = crate::bind::bind(&plan, &Weights::from_tensors(tensors.into())).unwrap();
    let [Packed::F32(rows), Packed::F32(columns)] = [&*bound[0], &*bound[2]] else { panic!() };
    assert_eq!(rows.as_slice(), numbers());
    let transposed = (0..WIDTH).flat_map(|column| (0..VOCAB).map(move |row| numbers()[row * WIDTH + column]));
    assert_eq!(columns.as_slice(), transposed.collect::<Vec<f32>>());
    plan.params.push(plan.params[2].clone());
    assert_eq!(plan.validate().unwrap_err(), "parameter `embed` occurs twice");
}
