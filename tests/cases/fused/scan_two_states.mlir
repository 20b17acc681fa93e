// Two states, as tiles.
//! sequences: 33, 0, 5
//! pieces: 1 2 7
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
  %8 = "mom.param"() {name = "model.layers.0.attn.gate.weight", tensor = "model.layers.0.attn.gate.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["memory", "model"]>
  %9 = "mom.linear"(%7, %8) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x24xf32, ["memory", "model"]>) -> tensor<?x2xf32, ["T", "memory"]>
  "mom.output"(%9) {name = "router_logits.0"} : (tensor<?x2xf32, ["T", "memory"]>) -> ()
  %10, %11 = "mom.router"(%9) {top_k = 1} : (tensor<?x2xf32, ["T", "memory"]>) -> (tensor<?x1xi32, ["T", "choice"]>, tensor<?x1xf32, ["T", "choice"]>)
  %12, %13, %14 = "mom.sort"(%10, %1, %2) {memories = 2} : (tensor<?x1xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["T"]>, tensor<?x1xi32, ["T", "choice"]>, tensor<?xi32, ["2B+1"]>)
  %15 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %16 = "mom.linear"(%7, %15) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %18 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %19 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %24 = "mom.dispatch"(%7, %12, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x24xf32, ["T", "model"]>
  %25 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %26 = "mom.param"() {name = "model.layers.0.attn.k_proj.1.weight", tensor = "model.layers.0.attn.k_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %27 = "mom.grouped_linear"(%24, %14, %25, %26) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %28 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %29 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %34 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %35 = "mom.param"() {name = "model.layers.0.attn.v_proj.1.weight", tensor = "model.layers.0.attn.v_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %36 = "mom.grouped_linear"(%24, %14, %34, %35) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %37 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>
  %38 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "value", "tap"]>
  %43 = "mom.param"() {name = "model.layers.0.attn.f_proj.0.weight", tensor = "model.layers.0.attn.f_proj.0.weight", shape = [128, 24], first_row = 0} : () -> tensor<2x64x24xf32, ["head", "slot", "model"]>
  %44 = "mom.param"() {name = "model.layers.0.attn.f_proj.1.weight", tensor = "model.layers.0.attn.f_proj.1.weight", shape = [128, 24], first_row = 0} : () -> tensor<2x64x24xf32, ["head", "slot", "model"]>
  %45 = "mom.grouped_linear"(%24, %14, %43, %44) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x64x24xf32, ["head", "slot", "model"]>, tensor<2x64x24xf32, ["head", "slot", "model"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
  %54 = "mom.state"() {name = "layers.0.memory.hk"} : () -> tensor<?x2x2x8x64xf32, ["B", "memory", "head", "key", "slot"]>
  %55 = "mom.state"() {name = "layers.0.memory.hv"} : () -> tensor<?x2x2x64x8xf32, ["B", "memory", "head", "slot", "value"]>
  %21, %31, %40, %56, %57, %58 = "mom.fused"(%16, %12, %14, %19, %18, %27, %29, %28, %36, %38, %37, %45, %54, %55) ({
  ^bb0(%f1_16: tensor<?x2x8xf32, ["T", "head", "key"]>, %f1_12: tensor<?xi32, ["T"]>, %f1_14: tensor<?xi32, ["2B+1"]>, %f1_19: tensor<2x8x4xf32, ["head", "key", "tap"]>, %f1_18: tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, %f1_27: tensor<?x2x8xf32, ["T", "head", "key"]>, %f1_29: tensor<2x8x4xf32, ["head", "key", "tap"]>, %f1_28: tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, %f1_36: tensor<?x2x8xf32, ["T", "head", "value"]>, %f1_38: tensor<2x8x4xf32, ["head", "value", "tap"]>, %f1_37: tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, %f1_45: tensor<?x2x64xf32, ["T", "head", "slot"]>, %f1_54: tensor<?x2x2x8x64xf32, ["B", "memory", "head", "key", "slot"]>, %f1_55: tensor<?x2x2x64x8xf32, ["B", "memory", "head", "slot", "value"]>):
    %f1_17 = "mom.dispatch"(%f1_16, %f1_12, %f1_14) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_20, %f1_21 = "mom.short_conv"(%f1_17, %f1_19, %f1_18, %f1_14) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_22 = "mom.silu"(%f1_20) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_23 = "mom.silu"(%f1_22) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_30, %f1_31 = "mom.short_conv"(%f1_27, %f1_29, %f1_28, %f1_14) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_32 = "mom.silu"(%f1_30) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_33 = "mom.silu"(%f1_32) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_39, %f1_40 = "mom.short_conv"(%f1_36, %f1_38, %f1_37, %f1_14) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>)
    %f1_41 = "mom.silu"(%f1_39) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
    %f1_42 = "mom.silu"(%f1_41) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
    %f1_46 = "mom.neg"(%f1_45) : (tensor<?x2x64xf32, ["T", "head", "slot"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_47 = "mom.softplus"(%f1_46) : (tensor<?x2x64xf32, ["T", "head", "slot"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_48 = "mom.neg"(%f1_47) : (tensor<?x2x64xf32, ["T", "head", "slot"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_49 = "mom.constant"() {value = 8.0} : () -> tensor<f32>
    %f1_50 = "mom.div"(%f1_48, %f1_49) : (tensor<?x2x64xf32, ["T", "head", "slot"]>, tensor<f32>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_51 = "mom.constant"() {value = 1.0} : () -> tensor<f32>
    %f1_52 = "mom.exp"(%f1_50) : (tensor<?x2x64xf32, ["T", "head", "slot"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_53 = "mom.sub"(%f1_51, %f1_52) : (tensor<f32>, tensor<?x2x64xf32, ["T", "head", "slot"]>) -> tensor<?x2x64xf32, ["T", "head", "slot"]>
    %f1_56, %f1_57, %f1_58 = "mom.scan"(%f1_23, %f1_33, %f1_42, %f1_50, %f1_53, %f1_54, %f1_55, %f1_14) {update_rule = @gsa, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x64xf32, ["T", "head", "slot"]>, tensor<?x2x64xf32, ["T", "head", "slot"]>, tensor<?x2x2x8x64xf32, ["B", "memory", "head", "key", "slot"]>, tensor<?x2x2x64x8xf32, ["B", "memory", "head", "slot", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x2x8x64xf32, ["B", "memory", "head", "key", "slot"]>, tensor<?x2x2x64x8xf32, ["B", "memory", "head", "slot", "value"]>)
    "gpu.yield"(%f1_21, %f1_31, %f1_40, %f1_56, %f1_57, %f1_58) : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x2x8x64xf32, ["B", "memory", "head", "key", "slot"]>, tensor<?x2x2x64x8xf32, ["B", "memory", "head", "slot", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["2B+1"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x64xf32, ["T", "head", "slot"]>, tensor<?x2x2x8x64xf32, ["B", "memory", "head", "key", "slot"]>, tensor<?x2x2x64x8xf32, ["B", "memory", "head", "slot", "value"]>) -> (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x2x8x64xf32, ["B", "memory", "head", "key", "slot"]>, tensor<?x2x2x64x8xf32, ["B", "memory", "head", "slot", "value"]>)
  "mom.set_state"(%21) {name = "layers.0.conv_q"} : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%31) {name = "layers.0.conv_k"} : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%40) {name = "layers.0.conv_v"} : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%57) {name = "layers.0.memory.hk"} : (tensor<?x2x2x8x64xf32, ["B", "memory", "head", "key", "slot"]>) -> ()
  "mom.set_state"(%58) {name = "layers.0.memory.hv"} : (tensor<?x2x2x64x8xf32, ["B", "memory", "head", "slot", "value"]>) -> ()
  %59 = "mom.combine"(%56, %13, %11) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x1xi32, ["T", "choice"]>, tensor<?x1xf32, ["T", "choice"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %60 = "mom.silu"(%59) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %61 = "mom.param"() {name = "model.layers.0.attn.g_norm", tensor = "model.layers.0.attn.g_norm", shape = [16], first_row = 0} : () -> tensor<2x8xf32, ["head", "value"]>
  %62 = "mom.rms_norm"(%60, %61) {eps = 1.0e-5} : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8xf32, ["head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %63 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 16], first_row = 0} : () -> tensor<24x2x8xf32, ["model", "head", "value"]>
  %64 = "mom.linear"(%62, %63) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<24x2x8xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %65 = "mom.add"(%5, %64) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %66 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %67 = "mom.rms_norm"(%65, %66) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %68 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %69 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %70 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 8], first_row = 0} : () -> tensor<24x8xf32, ["model", "hidden"]>
  %71 = "mom.linear"(%67, %68) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %72 = "mom.silu"(%71) : (tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %73 = "mom.linear"(%67, %69) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %74 = "mom.mul"(%72, %73) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %75 = "mom.linear"(%74, %70) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<24x8xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %76 = "mom.add"(%65, %75) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %77 = "mom.select_rows"(%76, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %78 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %79 = "mom.rms_norm"(%77, %78) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %80 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %81 = "mom.linear"(%79, %80) : (tensor<?x24xf32, ["L", "model"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x29xf32, ["L", "vocab"]>
  "mom.output"(%81) {name = "logits"} : (tensor<?x29xf32, ["L", "vocab"]>) -> ()
}
