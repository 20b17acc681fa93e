// A scan that makes its inputs in its launch: dispatch, short convolutions, norms and gates.
//! sequences: 65, 130, 0, 1, 2, 63, 64
//! pieces: 64 1 2 63
//! block_tokens: 256
module @m {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<16xf32, ["key"]>, %k: tensor<16xf32, ["key"]>, %v: tensor<16xf32, ["value"]>, %beta: tensor<f32>, %g: tensor<f32>, %h: tensor<16x16xf32, ["key", "value"]>):
    %0 = "mom.exp"(%g) : (tensor<f32>) -> tensor<f32>
    %1 = "mom.mul"(%0, %h) : (tensor<f32>, tensor<16x16xf32, ["key", "value"]>) -> tensor<16x16xf32, ["key", "value"]>
    %2 = "mom.contract"(%1, %k) : (tensor<16x16xf32, ["key", "value"]>, tensor<16xf32, ["key"]>) -> tensor<16xf32, ["value"]>
    %3 = "mom.sub"(%v, %2) : (tensor<16xf32, ["value"]>, tensor<16xf32, ["value"]>) -> tensor<16xf32, ["value"]>
    %4 = "mom.mul"(%k, %3) : (tensor<16xf32, ["key"]>, tensor<16xf32, ["value"]>) -> tensor<16x16xf32, ["key", "value"]>
    %5 = "mom.mul"(%beta, %4) : (tensor<f32>, tensor<16x16xf32, ["key", "value"]>) -> tensor<16x16xf32, ["key", "value"]>
    %6 = "mom.add"(%1, %5) : (tensor<16x16xf32, ["key", "value"]>, tensor<16x16xf32, ["key", "value"]>) -> tensor<16x16xf32, ["key", "value"]>
    %7 = "mom.constant"() {value = 0.25} : () -> tensor<f32>
    %8 = "mom.contract"(%6, %q) : (tensor<16x16xf32, ["key", "value"]>, tensor<16xf32, ["key"]>) -> tensor<16xf32, ["value"]>
    %9 = "mom.mul"(%7, %8) : (tensor<f32>, tensor<16xf32, ["value"]>) -> tensor<16xf32, ["value"]>
    "gpu.yield"(%6, %9) : (tensor<16x16xf32, ["key", "value"]>, tensor<16xf32, ["value"]>) -> ()
  }) {sym_name = "gated_delta_rule", inputs = ["q", "k", "v", "beta", "g"], states = ["h"], outputs = ["o"], at_most = ["", "", "", "", "0.0"]} : () -> ()
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.input"() {name = "rows"} : () -> tensor<?xi32, ["L"]>
  %4 = "mom.param"() {name = "model.embeddings.weight", tensor = "model.embeddings.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %5 = "mom.embedding"(%0, %4) : (tensor<?xi32, ["T"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %6 = "mom.param"() {name = "model.layers.0.attn_norm.weight", tensor = "model.layers.0.attn_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %7 = "mom.rms_norm"(%5, %6) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %8 = "mom.param"() {name = "model.layers.0.attn.gate.weight", tensor = "model.layers.0.attn.gate.weight", shape = [3, 24], first_row = 0} : () -> tensor<3x24xf32, ["memory", "model"]>
  %9 = "mom.linear"(%7, %8) : (tensor<?x24xf32, ["T", "model"]>, tensor<3x24xf32, ["memory", "model"]>) -> tensor<?x3xf32, ["T", "memory"]>
  "mom.output"(%9) {name = "router_logits.0"} : (tensor<?x3xf32, ["T", "memory"]>) -> ()
  %10, %11 = "mom.router"(%9) {top_k = 2} : (tensor<?x3xf32, ["T", "memory"]>) -> (tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>)
  %12, %13, %14 = "mom.sort"(%10, %1, %2) {memories = 3} : (tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["3B+1"]>)
  %15 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "key", "model"]>
  %16 = "mom.linear"(%7, %15) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x16x24xf32, ["head", "key", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
  %18 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>
  %19 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "key", "tap"]>
  %24 = "mom.dispatch"(%7, %12, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
  %25 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "key", "model"]>
  %26 = "mom.param"() {name = "model.layers.0.attn.k_proj.1.weight", tensor = "model.layers.0.attn.k_proj.1.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "key", "model"]>
  %27 = "mom.param"() {name = "model.layers.0.attn.k_proj.2.weight", tensor = "model.layers.0.attn.k_proj.2.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "key", "model"]>
  %28 = "mom.grouped_linear"(%24, %14, %25, %26, %27) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x16x24xf32, ["head", "key", "model"]>, tensor<2x16x24xf32, ["head", "key", "model"]>, tensor<2x16x24xf32, ["head", "key", "model"]>) -> tensor<?x2x16xf32, ["2T", "head", "key"]>
  %29 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>
  %30 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "key", "tap"]>
  %35 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %36 = "mom.param"() {name = "model.layers.0.attn.v_proj.1.weight", tensor = "model.layers.0.attn.v_proj.1.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %37 = "mom.param"() {name = "model.layers.0.attn.v_proj.2.weight", tensor = "model.layers.0.attn.v_proj.2.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %38 = "mom.grouped_linear"(%24, %14, %35, %36, %37) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x16x24xf32, ["head", "value", "model"]>, tensor<2x16x24xf32, ["head", "value", "model"]>, tensor<2x16x24xf32, ["head", "value", "model"]>) -> tensor<?x2x16xf32, ["2T", "head", "value"]>
  %39 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>
  %40 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "value", "tap"]>
  %44 = "mom.param"() {name = "model.layers.0.attn.b_proj.0.weight", tensor = "model.layers.0.attn.b_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %45 = "mom.param"() {name = "model.layers.0.attn.b_proj.1.weight", tensor = "model.layers.0.attn.b_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %46 = "mom.param"() {name = "model.layers.0.attn.b_proj.2.weight", tensor = "model.layers.0.attn.b_proj.2.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %47 = "mom.grouped_linear"(%24, %14, %44, %45, %46) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %49 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %52 = "mom.param"() {name = "model.layers.0.attn.a_proj.0.weight", tensor = "model.layers.0.attn.a_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %53 = "mom.param"() {name = "model.layers.0.attn.a_proj.1.weight", tensor = "model.layers.0.attn.a_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %54 = "mom.param"() {name = "model.layers.0.attn.a_proj.2.weight", tensor = "model.layers.0.attn.a_proj.2.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %55 = "mom.grouped_linear"(%24, %14, %52, %53, %54) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %56 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %60 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x3x2x16x16xf32, ["B", "memory", "head", "key", "value"]>
  %21, %32, %42, %61, %62 = "mom.fused"(%16, %12, %14, %19, %18, %28, %30, %29, %38, %40, %39, %47, %49, %55, %56, %60) ({
  ^bb0(%f1_16: tensor<?x2x16xf32, ["T", "head", "key"]>, %f1_12: tensor<?xi32, ["2T"]>, %f1_14: tensor<?xi32, ["3B+1"]>, %f1_19: tensor<2x16x4xf32, ["head", "key", "tap"]>, %f1_18: tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, %f1_28: tensor<?x2x16xf32, ["2T", "head", "key"]>, %f1_30: tensor<2x16x4xf32, ["head", "key", "tap"]>, %f1_29: tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, %f1_38: tensor<?x2x16xf32, ["2T", "head", "value"]>, %f1_40: tensor<2x16x4xf32, ["head", "value", "tap"]>, %f1_39: tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, %f1_47: tensor<?x2xf32, ["2T", "head"]>, %f1_49: tensor<2xf32, ["head"]>, %f1_55: tensor<?x2xf32, ["2T", "head"]>, %f1_56: tensor<2xf32, ["head"]>, %f1_60: tensor<?x3x2x16x16xf32, ["B", "memory", "head", "key", "value"]>):
    %f1_17 = "mom.dispatch"(%f1_16, %f1_12, %f1_14) : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x2x16xf32, ["2T", "head", "key"]>
    %f1_20, %f1_21 = "mom.short_conv"(%f1_17, %f1_19, %f1_18, %f1_14) : (tensor<?x2x16xf32, ["2T", "head", "key"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["3B+1"]>) -> (tensor<?x2x16xf32, ["2T", "head", "key"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_22 = "mom.silu"(%f1_20) : (tensor<?x2x16xf32, ["2T", "head", "key"]>) -> tensor<?x2x16xf32, ["2T", "head", "key"]>
    %f1_23 = "mom.l2_norm"(%f1_22) {eps = 1.0e-6} : (tensor<?x2x16xf32, ["2T", "head", "key"]>) -> tensor<?x2x16xf32, ["2T", "head", "key"]>
    %f1_31, %f1_32 = "mom.short_conv"(%f1_28, %f1_30, %f1_29, %f1_14) : (tensor<?x2x16xf32, ["2T", "head", "key"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["3B+1"]>) -> (tensor<?x2x16xf32, ["2T", "head", "key"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_33 = "mom.silu"(%f1_31) : (tensor<?x2x16xf32, ["2T", "head", "key"]>) -> tensor<?x2x16xf32, ["2T", "head", "key"]>
    %f1_34 = "mom.l2_norm"(%f1_33) {eps = 1.0e-6} : (tensor<?x2x16xf32, ["2T", "head", "key"]>) -> tensor<?x2x16xf32, ["2T", "head", "key"]>
    %f1_41, %f1_42 = "mom.short_conv"(%f1_38, %f1_40, %f1_39, %f1_14) : (tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<2x16x4xf32, ["head", "value", "tap"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["3B+1"]>) -> (tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>)
    %f1_43 = "mom.silu"(%f1_41) : (tensor<?x2x16xf32, ["2T", "head", "value"]>) -> tensor<?x2x16xf32, ["2T", "head", "value"]>
    %f1_48 = "mom.sigmoid"(%f1_47) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_50 = "mom.exp"(%f1_49) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_51 = "mom.neg"(%f1_50) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_57 = "mom.add"(%f1_55, %f1_56) : (tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_58 = "mom.softplus"(%f1_57) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_59 = "mom.mul"(%f1_51, %f1_58) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_61, %f1_62 = "mom.scan"(%f1_23, %f1_34, %f1_43, %f1_48, %f1_59, %f1_60, %f1_14) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x16xf32, ["2T", "head", "key"]>, tensor<?x2x16xf32, ["2T", "head", "key"]>, tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x3x2x16x16xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["3B+1"]>) -> (tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x3x2x16x16xf32, ["B", "memory", "head", "key", "value"]>)
    "gpu.yield"(%f1_21, %f1_32, %f1_42, %f1_61, %f1_62) : (tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x3x2x16x16xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["3B+1"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x16xf32, ["2T", "head", "key"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<2x16x4xf32, ["head", "value", "tap"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>, tensor<?x3x2x16x16xf32, ["B", "memory", "head", "key", "value"]>) -> (tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x3x2x16x16xf32, ["B", "memory", "head", "key", "value"]>)
  "mom.set_state"(%21) {name = "layers.0.conv_q"} : (tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%32) {name = "layers.0.conv_k"} : (tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%42) {name = "layers.0.conv_v"} : (tensor<?x3x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%62) {name = "layers.0.memory"} : (tensor<?x3x2x16x16xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  %63 = "mom.combine"(%61, %13, %11) : (tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %64 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [16], first_row = 0} : () -> tensor<16xf32, ["value"]>
  %65 = "mom.rms_norm"(%63, %64) {eps = 1.0e-6} : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<16xf32, ["value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %66 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %67 = "mom.linear"(%7, %66) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x16x24xf32, ["head", "value", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %68 = "mom.silu"(%67) : (tensor<?x2x16xf32, ["T", "head", "value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %69 = "mom.mul"(%65, %68) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x2x16xf32, ["T", "head", "value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %70 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 32], first_row = 0} : () -> tensor<24x2x16xf32, ["model", "head", "value"]>
  %71 = "mom.linear"(%69, %70) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<24x2x16xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %72 = "mom.add"(%5, %71) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %73 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %74 = "mom.rms_norm"(%72, %73) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %75 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %76 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %77 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 8], first_row = 0} : () -> tensor<24x8xf32, ["model", "hidden"]>
  %78 = "mom.linear"(%74, %75) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %79 = "mom.silu"(%78) : (tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %80 = "mom.linear"(%74, %76) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %81 = "mom.mul"(%79, %80) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %82 = "mom.linear"(%81, %77) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<24x8xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %83 = "mom.add"(%72, %82) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %84 = "mom.select_rows"(%83, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %85 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %86 = "mom.rms_norm"(%84, %85) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %87 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %88 = "mom.linear"(%86, %87) : (tensor<?x24xf32, ["L", "model"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x29xf32, ["L", "vocab"]>
  "mom.output"(%88) {name = "logits"} : (tensor<?x29xf32, ["L", "vocab"]>) -> ()
}
