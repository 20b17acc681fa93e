// Decays for each channel, in chunks whose tokens may be padding.
//! schedule: chunk=16
//! sequences: 20 -7 30 -1 10, 0, -1 3, -4, 130
//! pieces: 16 48
//! block_tokens: 256
module @m {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<8xf32, ["key"]>, %k: tensor<8xf32, ["key"]>, %v: tensor<8xf32, ["value"]>, %g: tensor<8xf32, ["key"]>, %beta: tensor<f32>, %h: tensor<8x8xf32, ["key", "value"]>):
    %0 = "mom.exp"(%g) : (tensor<8xf32, ["key"]>) -> tensor<8xf32, ["key"]>
    %1 = "mom.mul"(%0, %h) : (tensor<8xf32, ["key"]>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %2 = "mom.contract"(%1, %k) : (tensor<8x8xf32, ["key", "value"]>, tensor<8xf32, ["key"]>) -> tensor<8xf32, ["value"]>
    %3 = "mom.sub"(%v, %2) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %4 = "mom.mul"(%k, %3) : (tensor<8xf32, ["key"]>, tensor<8xf32, ["value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %5 = "mom.mul"(%beta, %4) : (tensor<f32>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %6 = "mom.add"(%1, %5) : (tensor<8x8xf32, ["key", "value"]>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %7 = "mom.constant"() {value = 0.3535533905932738} : () -> tensor<f32>
    %8 = "mom.contract"(%6, %q) : (tensor<8x8xf32, ["key", "value"]>, tensor<8xf32, ["key"]>) -> tensor<8xf32, ["value"]>
    %9 = "mom.mul"(%7, %8) : (tensor<f32>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    "gpu.yield"(%6, %9) : (tensor<8x8xf32, ["key", "value"]>, tensor<8xf32, ["value"]>) -> ()
  }) {sym_name = "kda", inputs = ["q", "k", "v", "g", "beta"], states = ["h"], outputs = ["o"], at_most = ["", "", "", "0.0", ""]} : () -> ()
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.input"() {name = "rows"} : () -> tensor<?xi32, ["L"]>
  %4 = "mom.param"() {name = "model.embeddings.weight", tensor = "model.embeddings.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %5 = "mom.embedding"(%0, %4) : (tensor<?xi32, ["T"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %6 = "mom.param"() {name = "model.layers.0.attn_norm.weight", tensor = "model.layers.0.attn_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %7 = "mom.rms_norm"(%5, %6) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %8 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %9 = "mom.linear"(%7, %8) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %10 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>
  %11 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %16 = "mom.param"() {name = "model.layers.0.attn.k_proj.weight", tensor = "model.layers.0.attn.k_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %17 = "mom.linear"(%7, %16) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %18 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>
  %19 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %24 = "mom.param"() {name = "model.layers.0.attn.v_proj.weight", tensor = "model.layers.0.attn.v_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %25 = "mom.linear"(%7, %24) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %26 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>
  %27 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "value", "tap"]>
  %31 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %34 = "mom.param"() {name = "model.layers.0.attn.f_low.weight", tensor = "model.layers.0.attn.f_low.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["rank", "model"]>
  %35 = "mom.linear"(%7, %34) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["rank", "model"]>) -> tensor<?x8xf32, ["T", "rank"]>
  %36 = "mom.param"() {name = "model.layers.0.attn.f_proj.weight", tensor = "model.layers.0.attn.f_proj.weight", shape = [16, 8], first_row = 0} : () -> tensor<2x8x8xf32, ["head", "key", "rank"]>
  %37 = "mom.linear"(%35, %36) : (tensor<?x8xf32, ["T", "rank"]>, tensor<2x8x8xf32, ["head", "key", "rank"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %38 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [16], first_row = 0} : () -> tensor<2x8xf32, ["head", "key"]>
  %42 = "mom.param"() {name = "model.layers.0.attn.b_proj.weight", tensor = "model.layers.0.attn.b_proj.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %43 = "mom.linear"(%7, %42) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["T", "head"]>
  %45 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>
  %13, %21, %29, %46, %47 = "mom.fused"(%9, %11, %10, %2, %1, %17, %19, %18, %25, %27, %26, %31, %37, %38, %43, %45) ({
  ^bb0(%f1_9: tensor<?x2x8xf32, ["T", "head", "key"]>, %f1_11: tensor<2x8x4xf32, ["head", "key", "tap"]>, %f1_10: tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, %f1_2: tensor<?xi32, ["B+1"]>, %f1_1: tensor<?xi32, ["T"]>, %f1_17: tensor<?x2x8xf32, ["T", "head", "key"]>, %f1_19: tensor<2x8x4xf32, ["head", "key", "tap"]>, %f1_18: tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, %f1_25: tensor<?x2x8xf32, ["T", "head", "value"]>, %f1_27: tensor<2x8x4xf32, ["head", "value", "tap"]>, %f1_26: tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, %f1_31: tensor<2xf32, ["head"]>, %f1_37: tensor<?x2x8xf32, ["T", "head", "key"]>, %f1_38: tensor<2x8xf32, ["head", "key"]>, %f1_43: tensor<?x2xf32, ["T", "head"]>, %f1_45: tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>):
    %f1_12, %f1_13 = "mom.short_conv"(%f1_9, %f1_11, %f1_10, %f1_2, %f1_1) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>)
    %f1_14 = "mom.silu"(%f1_12) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_15 = "mom.l2_norm"(%f1_14) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_20, %f1_21 = "mom.short_conv"(%f1_17, %f1_19, %f1_18, %f1_2, %f1_1) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>)
    %f1_22 = "mom.silu"(%f1_20) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_23 = "mom.l2_norm"(%f1_22) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_28, %f1_29 = "mom.short_conv"(%f1_25, %f1_27, %f1_26, %f1_2, %f1_1) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>)
    %f1_30 = "mom.silu"(%f1_28) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
    %f1_32 = "mom.exp"(%f1_31) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_33 = "mom.neg"(%f1_32) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_39 = "mom.add"(%f1_37, %f1_38) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8xf32, ["head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_40 = "mom.softplus"(%f1_39) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_41 = "mom.mul"(%f1_33, %f1_40) : (tensor<2xf32, ["head"]>, tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_44 = "mom.sigmoid"(%f1_43) : (tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
    %f1_46, %f1_47 = "mom.scan"(%f1_15, %f1_23, %f1_30, %f1_41, %f1_44, %f1_45, %f1_2, %f1_1) {update_rule = @kda, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2xf32, ["T", "head"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>)
    "gpu.yield"(%f1_13, %f1_21, %f1_29, %f1_46, %f1_47) : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>, tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, tensor<2xf32, ["head"]>, tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8xf32, ["head", "key"]>, tensor<?x2xf32, ["T", "head"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>) -> (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>)
  "mom.set_state"(%13) {name = "layers.0.conv_q"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%21) {name = "layers.0.conv_k"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%29) {name = "layers.0.conv_v"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%47) {name = "layers.0.memory"} : (tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>) -> ()
  %48 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [8], first_row = 0} : () -> tensor<8xf32, ["value"]>
  %49 = "mom.rms_norm"(%46, %48) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<8xf32, ["value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %50 = "mom.param"() {name = "model.layers.0.attn.g_low.weight", tensor = "model.layers.0.attn.g_low.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["rank", "model"]>
  %51 = "mom.linear"(%7, %50) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["rank", "model"]>) -> tensor<?x8xf32, ["T", "rank"]>
  %52 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [16, 8], first_row = 0} : () -> tensor<2x8x8xf32, ["head", "value", "rank"]>
  %53 = "mom.linear"(%51, %52) : (tensor<?x8xf32, ["T", "rank"]>, tensor<2x8x8xf32, ["head", "value", "rank"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %54 = "mom.param"() {name = "model.layers.0.attn.g_bias", tensor = "model.layers.0.attn.g_bias", shape = [16], first_row = 0} : () -> tensor<2x8xf32, ["head", "value"]>
  %55 = "mom.add"(%53, %54) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8xf32, ["head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %56 = "mom.sigmoid"(%55) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %57 = "mom.mul"(%49, %56) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %58 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 16], first_row = 0} : () -> tensor<24x2x8xf32, ["model", "head", "value"]>
  %59 = "mom.linear"(%57, %58) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<24x2x8xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %60 = "mom.add"(%5, %59) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %61 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %62 = "mom.rms_norm"(%60, %61) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %63 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %64 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %65 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 8], first_row = 0} : () -> tensor<24x8xf32, ["model", "hidden"]>
  %66 = "mom.linear"(%62, %63) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %67 = "mom.silu"(%66) : (tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %68 = "mom.linear"(%62, %64) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %69 = "mom.mul"(%67, %68) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %70 = "mom.linear"(%69, %65) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<24x8xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %71 = "mom.add"(%60, %70) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %72 = "mom.select_rows"(%71, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %73 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %74 = "mom.rms_norm"(%72, %73) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %75 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %76 = "mom.linear"(%74, %75) : (tensor<?x24xf32, ["L", "model"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x29xf32, ["L", "vocab"]>
  "mom.output"(%76) {name = "logits"} : (tensor<?x29xf32, ["L", "vocab"]>) -> ()
}
