// Tiles of one token, where tokens may be padding.
//! sequences: 20 -7 30 -1 10, 0, -1 3, -4
//! pieces: 3 1 5
module @m {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<8xf32, ["key"]>, %k: tensor<8xf32, ["key"]>, %v: tensor<8xf32, ["value"]>, %g: tensor<64xf32, ["slot"]>, %s: tensor<64xf32, ["slot"]>, %hk: tensor<8x64xf32, ["key", "slot"]>, %hv: tensor<64x8xf32, ["slot", "value"]>):
    %0 = "mom.exp"(%g) : (tensor<64xf32, ["slot"]>) -> tensor<64xf32, ["slot"]>
    %1 = "mom.mul"(%0, %hk) : (tensor<64xf32, ["slot"]>, tensor<8x64xf32, ["key", "slot"]>) -> tensor<8x64xf32, ["key", "slot"]>
    %2 = "mom.mul"(%k, %s) : (tensor<8xf32, ["key"]>, tensor<64xf32, ["slot"]>) -> tensor<8x64xf32, ["key", "slot"]>
    %3 = "mom.add"(%1, %2) : (tensor<8x64xf32, ["key", "slot"]>, tensor<8x64xf32, ["key", "slot"]>) -> tensor<8x64xf32, ["key", "slot"]>
    %4 = "mom.mul"(%0, %hv) : (tensor<64xf32, ["slot"]>, tensor<64x8xf32, ["slot", "value"]>) -> tensor<64x8xf32, ["slot", "value"]>
    %5 = "mom.mul"(%s, %v) : (tensor<64xf32, ["slot"]>, tensor<8xf32, ["value"]>) -> tensor<64x8xf32, ["slot", "value"]>
    %6 = "mom.add"(%4, %5) : (tensor<64x8xf32, ["slot", "value"]>, tensor<64x8xf32, ["slot", "value"]>) -> tensor<64x8xf32, ["slot", "value"]>
    %7 = "mom.constant"() {value = 0.3535533905932738} : () -> tensor<f32>
    %8 = "mom.contract"(%3, %q) : (tensor<8x64xf32, ["key", "slot"]>, tensor<8xf32, ["key"]>) -> tensor<64xf32, ["slot"]>
    %9 = "mom.mul"(%7, %8) : (tensor<f32>, tensor<64xf32, ["slot"]>) -> tensor<64xf32, ["slot"]>
    %10 = "mom.softmax"(%9) {axis = "slot"} : (tensor<64xf32, ["slot"]>) -> tensor<64xf32, ["slot"]>
    %11 = "mom.contract"(%6, %10) : (tensor<64x8xf32, ["slot", "value"]>, tensor<64xf32, ["slot"]>) -> tensor<8xf32, ["value"]>
    "gpu.yield"(%3, %6, %11) : (tensor<8x64xf32, ["key", "slot"]>, tensor<64x8xf32, ["slot", "value"]>, tensor<8xf32, ["value"]>) -> ()
  }) {sym_name = "gsa", inputs = ["q", "k", "v", "g", "s"], states = ["hk", "hv"], outputs = ["o"], at_most = ["", "", "", "0.0", ""]} : () -> ()
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
  %32 = "mom.param"() {name = "model.layers.0.attn.f_proj.weight", tensor = "model.layers.0.attn.f_proj.weight", shape = [128, 24], first_row = 0} : () -> tensor<2x64x24xf32, ["head", "slot", "model"]>
  %33 = "mom.linear"(%7, %32) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x64x24xf32, ["head", "slot", "model"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
  %42 = "mom.state"() {name = "layers.0.memory.hk"} : () -> tensor<?x2x8x64xf32, ["B", "head", "key", "slot"]>
  %43 = "mom.state"() {name = "layers.0.memory.hv"} : () -> tensor<?x2x64x8xf32, ["B", "head", "slot", "value"]>
  %13, %21, %29, %44, %45, %46 = "mom.fused"(%9, %11, %10, %2, %1, %17, %19, %18, %25, %27, %26, %33, %42, %43) ({
  ^bb0(%f1_9: tensor<?x2x8xf32, ["T", "head", "key"]>, %f1_11: tensor<2x8x4xf32, ["head", "key", "tap"]>, %f1_10: tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, %f1_2: tensor<?xi32, ["B+1"]>, %f1_1: tensor<?xi32, ["T"]>, %f1_17: tensor<?x2x8xf32, ["T", "head", "key"]>, %f1_19: tensor<2x8x4xf32, ["head", "key", "tap"]>, %f1_18: tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, %f1_25: tensor<?x2x8xf32, ["T", "head", "value"]>, %f1_27: tensor<2x8x4xf32, ["head", "value", "tap"]>, %f1_26: tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, %f1_33: tensor<?x2x64xf32, ["T", "head", "slot"]>, %f1_42: tensor<?x2x8x64xf32, ["B", "head", "key", "slot"]>, %f1_43: tensor<?x2x64x8xf32, ["B", "head", "slot", "value"]>):
    %f1_12, %f1_13 = "mom.short_conv"(%f1_9, %f1_11, %f1_10, %f1_2, %f1_1) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>)
    %f1_14 = "mom.silu"(%f1_12) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_15 = "mom.silu"(%f1_14) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_20, %f1_21 = "mom.short_conv"(%f1_17, %f1_19, %f1_18, %f1_2, %f1_1) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>)
    %f1_22 = "mom.silu"(%f1_20) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_23 = "mom.silu"(%f1_22) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_28, %f1_29 = "mom.short_conv"(%f1_25, %f1_27, %f1_26, %f1_2, %f1_1) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>)
    %f1_30 = "mom.silu"(%f1_28) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
    %f1_31 = "mom.silu"(%f1_30) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
    %f1_34 = "mom.neg"(%f1_33) : (tensor<?x2x64xf32, ["T", "head", "slot"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_35 = "mom.softplus"(%f1_34) : (tensor<?x2x64xf32, ["T", "head", "slot"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_36 = "mom.neg"(%f1_35) : (tensor<?x2x64xf32, ["T", "head", "slot"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_37 = "mom.constant"() {value = 8.0} : () -> tensor<f32>
    %f1_38 = "mom.div"(%f1_36, %f1_37) : (tensor<?x2x64xf32, ["T", "head", "slot"]>, tensor<f32>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_39 = "mom.constant"() {value = 1.0} : () -> tensor<f32>
    %f1_40 = "mom.exp"(%f1_38) : (tensor<?x2x64xf32, ["T", "head", "slot"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_41 = "mom.sub"(%f1_39, %f1_40) : (tensor<f32>, tensor<?x2x64xf32, ["T", "head", "slot"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_44, %f1_45, %f1_46 = "mom.scan"(%f1_15, %f1_23, %f1_31, %f1_38, %f1_41, %f1_42, %f1_43, %f1_2, %f1_1) {update_rule = @gsa, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x64xf32, ["T", "head", "slot"]>, tensor<?x2x64xf32, ["T", "head", "slot"]>, tensor<?x2x8x64xf32, ["B", "head", "key", "slot"]>, tensor<?x2x64x8xf32, ["B", "head", "slot", "value"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8x64xf32, ["B", "head", "key", "slot"]>, tensor<?x2x64x8xf32, ["B", "head", "slot", "value"]>)
    "gpu.yield"(%f1_13, %f1_21, %f1_29, %f1_44, %f1_45, %f1_46) : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8x64xf32, ["B", "head", "key", "slot"]>, tensor<?x2x64x8xf32, ["B", "head", "slot", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>, tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, tensor<?x2x64xf32, ["T", "head", "slot"]>, tensor<?x2x8x64xf32, ["B", "head", "key", "slot"]>, tensor<?x2x64x8xf32, ["B", "head", "slot", "value"]>) -> (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8x64xf32, ["B", "head", "key", "slot"]>, tensor<?x2x64x8xf32, ["B", "head", "slot", "value"]>)
  "mom.set_state"(%13) {name = "layers.0.conv_q"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%21) {name = "layers.0.conv_k"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%29) {name = "layers.0.conv_v"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%45) {name = "layers.0.memory.hk"} : (tensor<?x2x8x64xf32, ["B", "head", "key", "slot"]>) -> ()
  "mom.set_state"(%46) {name = "layers.0.memory.hv"} : (tensor<?x2x64x8xf32, ["B", "head", "slot", "value"]>) -> ()
  %47 = "mom.silu"(%44) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %48 = "mom.param"() {name = "model.layers.0.attn.g_norm", tensor = "model.layers.0.attn.g_norm", shape = [16], first_row = 0} : () -> tensor<2x8xf32, ["head", "value"]>
  %49 = "mom.rms_norm"(%47, %48) {eps = 1.0e-5} : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8xf32, ["head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %50 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 16], first_row = 0} : () -> tensor<24x2x8xf32, ["model", "head", "value"]>
  %51 = "mom.linear"(%49, %50) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<24x2x8xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %52 = "mom.add"(%5, %51) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %53 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %54 = "mom.rms_norm"(%52, %53) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %55 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %56 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %57 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 8], first_row = 0} : () -> tensor<24x8xf32, ["model", "hidden"]>
  %58 = "mom.linear"(%54, %55) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %59 = "mom.silu"(%58) : (tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %60 = "mom.linear"(%54, %56) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %61 = "mom.mul"(%59, %60) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %62 = "mom.linear"(%61, %57) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<24x8xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %63 = "mom.add"(%52, %62) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %64 = "mom.select_rows"(%63, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %65 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %66 = "mom.rms_norm"(%64, %65) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %67 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %68 = "mom.linear"(%66, %67) : (tensor<?x24xf32, ["L", "model"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x29xf32, ["L", "vocab"]>
  "mom.output"(%68) {name = "logits"} : (tensor<?x29xf32, ["L", "vocab"]>) -> ()
}
