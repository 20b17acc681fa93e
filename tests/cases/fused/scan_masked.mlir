// One memory, whose segments hold padding.
//! sequences: 11 -2 60 -1 3, -1 7 -1, 0, 1, -2
//! pieces: 3 1 5
//! block_tokens: 96
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
  %8 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "key", "model"]>
  %9 = "mom.linear"(%7, %8) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x16x24xf32, ["head", "key", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
  %10 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>
  %11 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "key", "tap"]>
  %16 = "mom.param"() {name = "model.layers.0.attn.k_proj.weight", tensor = "model.layers.0.attn.k_proj.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "key", "model"]>
  %17 = "mom.linear"(%7, %16) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x16x24xf32, ["head", "key", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
  %18 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>
  %19 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "key", "tap"]>
  %24 = "mom.param"() {name = "model.layers.0.attn.v_proj.weight", tensor = "model.layers.0.attn.v_proj.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %25 = "mom.linear"(%7, %24) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x16x24xf32, ["head", "value", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %26 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x4x2x16xf32, ["B", "tap", "head", "value"]>
  %27 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "value", "tap"]>
  %31 = "mom.param"() {name = "model.layers.0.attn.b_proj.weight", tensor = "model.layers.0.attn.b_proj.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %32 = "mom.linear"(%7, %31) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["T", "head"]>
  %34 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %37 = "mom.param"() {name = "model.layers.0.attn.a_proj.weight", tensor = "model.layers.0.attn.a_proj.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %38 = "mom.linear"(%7, %37) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["T", "head"]>
  %39 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %43 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x2x16x16xf32, ["B", "head", "key", "value"]>
  %13, %21, %29, %44, %45 = "mom.fused"(%9, %11, %10, %2, %1, %17, %19, %18, %25, %27, %26, %32, %34, %38, %39, %43) ({
  ^bb0(%f1_9: tensor<?x2x16xf32, ["T", "head", "key"]>, %f1_11: tensor<2x16x4xf32, ["head", "key", "tap"]>, %f1_10: tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>, %f1_2: tensor<?xi32, ["B+1"]>, %f1_1: tensor<?xi32, ["T"]>, %f1_17: tensor<?x2x16xf32, ["T", "head", "key"]>, %f1_19: tensor<2x16x4xf32, ["head", "key", "tap"]>, %f1_18: tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>, %f1_25: tensor<?x2x16xf32, ["T", "head", "value"]>, %f1_27: tensor<2x16x4xf32, ["head", "value", "tap"]>, %f1_26: tensor<?x4x2x16xf32, ["B", "tap", "head", "value"]>, %f1_32: tensor<?x2xf32, ["T", "head"]>, %f1_34: tensor<2xf32, ["head"]>, %f1_38: tensor<?x2xf32, ["T", "head"]>, %f1_39: tensor<2xf32, ["head"]>, %f1_43: tensor<?x2x16x16xf32, ["B", "head", "key", "value"]>):
    %f1_12, %f1_13 = "mom.short_conv"(%f1_9, %f1_11, %f1_10, %f1_2, %f1_1) : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>)
    %f1_14 = "mom.silu"(%f1_12) : (tensor<?x2x16xf32, ["T", "head", "key"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
    %f1_15 = "mom.l2_norm"(%f1_14) {eps = 1.0e-6} : (tensor<?x2x16xf32, ["T", "head", "key"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
    %f1_20, %f1_21 = "mom.short_conv"(%f1_17, %f1_19, %f1_18, %f1_2, %f1_1) : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>)
    %f1_22 = "mom.silu"(%f1_20) : (tensor<?x2x16xf32, ["T", "head", "key"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
    %f1_23 = "mom.l2_norm"(%f1_22) {eps = 1.0e-6} : (tensor<?x2x16xf32, ["T", "head", "key"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
    %f1_28, %f1_29 = "mom.short_conv"(%f1_25, %f1_27, %f1_26, %f1_2, %f1_1) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<2x16x4xf32, ["head", "value", "tap"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "value"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "value"]>)
    %f1_30 = "mom.silu"(%f1_28) : (tensor<?x2x16xf32, ["T", "head", "value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
    %f1_33 = "mom.sigmoid"(%f1_32) : (tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
    %f1_35 = "mom.exp"(%f1_34) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_36 = "mom.neg"(%f1_35) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_40 = "mom.add"(%f1_38, %f1_39) : (tensor<?x2xf32, ["T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["T", "head"]>
    %f1_41 = "mom.softplus"(%f1_40) : (tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
    %f1_42 = "mom.mul"(%f1_36, %f1_41) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
    %f1_44, %f1_45 = "mom.scan"(%f1_15, %f1_23, %f1_30, %f1_33, %f1_42, %f1_43, %f1_2, %f1_1) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x2xf32, ["T", "head"]>, tensor<?x2xf32, ["T", "head"]>, tensor<?x2x16x16xf32, ["B", "head", "key", "value"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x2x16x16xf32, ["B", "head", "key", "value"]>)
    "gpu.yield"(%f1_13, %f1_21, %f1_29, %f1_44, %f1_45) : (tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "value"]>, tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x2x16x16xf32, ["B", "head", "key", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>, tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>, tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<2x16x4xf32, ["head", "value", "tap"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "value"]>, tensor<?x2xf32, ["T", "head"]>, tensor<2xf32, ["head"]>, tensor<?x2xf32, ["T", "head"]>, tensor<2xf32, ["head"]>, tensor<?x2x16x16xf32, ["B", "head", "key", "value"]>) -> (tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x16xf32, ["B", "tap", "head", "value"]>, tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x2x16x16xf32, ["B", "head", "key", "value"]>)
  "mom.set_state"(%13) {name = "layers.0.conv_q"} : (tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%21) {name = "layers.0.conv_k"} : (tensor<?x4x2x16xf32, ["B", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%29) {name = "layers.0.conv_v"} : (tensor<?x4x2x16xf32, ["B", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%45) {name = "layers.0.memory"} : (tensor<?x2x16x16xf32, ["B", "head", "key", "value"]>) -> ()
  %46 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [16], first_row = 0} : () -> tensor<16xf32, ["value"]>
  %47 = "mom.rms_norm"(%44, %46) {eps = 1.0e-6} : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<16xf32, ["value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %48 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %49 = "mom.linear"(%7, %48) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x16x24xf32, ["head", "value", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %50 = "mom.silu"(%49) : (tensor<?x2x16xf32, ["T", "head", "value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %51 = "mom.mul"(%47, %50) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x2x16xf32, ["T", "head", "value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %52 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 32], first_row = 0} : () -> tensor<24x2x16xf32, ["model", "head", "value"]>
  %53 = "mom.linear"(%51, %52) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<24x2x16xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %54 = "mom.add"(%5, %53) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %55 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %56 = "mom.rms_norm"(%54, %55) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %57 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %58 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %59 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 8], first_row = 0} : () -> tensor<24x8xf32, ["model", "hidden"]>
  %60 = "mom.linear"(%56, %57) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %61 = "mom.silu"(%60) : (tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %62 = "mom.linear"(%56, %58) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %63 = "mom.mul"(%61, %62) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %64 = "mom.linear"(%63, %59) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<24x8xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %65 = "mom.add"(%54, %64) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %66 = "mom.select_rows"(%65, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %67 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %68 = "mom.rms_norm"(%66, %67) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %69 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %70 = "mom.linear"(%68, %69) : (tensor<?x24xf32, ["L", "model"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x29xf32, ["L", "vocab"]>
  "mom.output"(%70) {name = "logits"} : (tensor<?x29xf32, ["L", "vocab"]>) -> ()
}
