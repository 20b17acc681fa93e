// Inputs of two axes, of which the recurrence takes slices.
//! sequences: 65, 0, 5
//! pieces: 1 2 7
module @m {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<8xf32, ["key"]>, %k: tensor<2x8xf32, ["step", "key"]>, %v: tensor<2x8xf32, ["step", "value"]>, %g: tensor<f32>, %beta: tensor<2xf32, ["step"]>, %h: tensor<8x8xf32, ["key", "value"]>):
    %0 = "mom.exp"(%g) : (tensor<f32>) -> tensor<f32>
    %1 = "mom.mul"(%0, %h) : (tensor<f32>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %2 = "mom.slice"(%v) {axis = "step", index = 0} : (tensor<2x8xf32, ["step", "value"]>) -> tensor<8xf32, ["value"]>
    %3 = "mom.slice"(%k) {axis = "step", index = 0} : (tensor<2x8xf32, ["step", "key"]>) -> tensor<8xf32, ["key"]>
    %4 = "mom.contract"(%1, %3) : (tensor<8x8xf32, ["key", "value"]>, tensor<8xf32, ["key"]>) -> tensor<8xf32, ["value"]>
    %5 = "mom.sub"(%2, %4) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %6 = "mom.slice"(%beta) {axis = "step", index = 0} : (tensor<2xf32, ["step"]>) -> tensor<f32>
    %7 = "mom.slice"(%k) {axis = "step", index = 0} : (tensor<2x8xf32, ["step", "key"]>) -> tensor<8xf32, ["key"]>
    %8 = "mom.mul"(%7, %5) : (tensor<8xf32, ["key"]>, tensor<8xf32, ["value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %9 = "mom.mul"(%6, %8) : (tensor<f32>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %10 = "mom.add"(%1, %9) : (tensor<8x8xf32, ["key", "value"]>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %11 = "mom.slice"(%v) {axis = "step", index = 1} : (tensor<2x8xf32, ["step", "value"]>) -> tensor<8xf32, ["value"]>
    %12 = "mom.slice"(%k) {axis = "step", index = 1} : (tensor<2x8xf32, ["step", "key"]>) -> tensor<8xf32, ["key"]>
    %13 = "mom.contract"(%10, %12) : (tensor<8x8xf32, ["key", "value"]>, tensor<8xf32, ["key"]>) -> tensor<8xf32, ["value"]>
    %14 = "mom.sub"(%11, %13) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %15 = "mom.slice"(%beta) {axis = "step", index = 1} : (tensor<2xf32, ["step"]>) -> tensor<f32>
    %16 = "mom.slice"(%k) {axis = "step", index = 1} : (tensor<2x8xf32, ["step", "key"]>) -> tensor<8xf32, ["key"]>
    %17 = "mom.mul"(%16, %14) : (tensor<8xf32, ["key"]>, tensor<8xf32, ["value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %18 = "mom.mul"(%15, %17) : (tensor<f32>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %19 = "mom.add"(%10, %18) : (tensor<8x8xf32, ["key", "value"]>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %20 = "mom.constant"() {value = 0.3535533905932738} : () -> tensor<f32>
    %21 = "mom.contract"(%19, %q) : (tensor<8x8xf32, ["key", "value"]>, tensor<8xf32, ["key"]>) -> tensor<8xf32, ["value"]>
    %22 = "mom.mul"(%20, %21) : (tensor<f32>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    "gpu.yield"(%19, %22) : (tensor<8x8xf32, ["key", "value"]>, tensor<8xf32, ["value"]>) -> ()
  }) {sym_name = "gated_delta_product", inputs = ["q", "k", "v", "g", "beta"], states = ["h"], outputs = ["o"], at_most = ["", "", "", "0.0", ""]} : () -> ()
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
  %10, %11 = "mom.router"(%9) {top_k = 2} : (tensor<?x2xf32, ["T", "memory"]>) -> (tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>)
  %12, %13, %14 = "mom.sort"(%10, %1, %2) {memories = 2} : (tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["2B+1"]>)
  %15 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %16 = "mom.linear"(%7, %15) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %18 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %19 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %24 = "mom.dispatch"(%7, %12, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
  %25 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x2x8x24xf32, ["head", "step", "key", "model"]>
  %26 = "mom.param"() {name = "model.layers.0.attn.k_proj.1.weight", tensor = "model.layers.0.attn.k_proj.1.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x2x8x24xf32, ["head", "step", "key", "model"]>
  %27 = "mom.grouped_linear"(%24, %14, %25, %26) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x2x8x24xf32, ["head", "step", "key", "model"]>, tensor<2x2x8x24xf32, ["head", "step", "key", "model"]>) -> tensor<?x2x2x8xf32, ["2T", "head", "step", "key"]>
  %28 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "key"]>
  %29 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x2x8x4xf32, ["head", "step", "key", "tap"]>
  %34 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x2x8x24xf32, ["head", "step", "value", "model"]>
  %35 = "mom.param"() {name = "model.layers.0.attn.v_proj.1.weight", tensor = "model.layers.0.attn.v_proj.1.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x2x8x24xf32, ["head", "step", "value", "model"]>
  %36 = "mom.grouped_linear"(%24, %14, %34, %35) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x2x8x24xf32, ["head", "step", "value", "model"]>, tensor<2x2x8x24xf32, ["head", "step", "value", "model"]>) -> tensor<?x2x2x8xf32, ["2T", "head", "step", "value"]>
  %37 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "value"]>
  %38 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x2x8x4xf32, ["head", "step", "value", "tap"]>
  %42 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %45 = "mom.param"() {name = "model.layers.0.attn.a_proj.0.weight", tensor = "model.layers.0.attn.a_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %46 = "mom.param"() {name = "model.layers.0.attn.a_proj.1.weight", tensor = "model.layers.0.attn.a_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %47 = "mom.grouped_linear"(%24, %14, %45, %46) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %48 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %52 = "mom.param"() {name = "model.layers.0.attn.b_proj.0.weight", tensor = "model.layers.0.attn.b_proj.0.weight", shape = [4, 24], first_row = 0} : () -> tensor<2x2x24xf32, ["head", "step", "model"]>
  %53 = "mom.param"() {name = "model.layers.0.attn.b_proj.1.weight", tensor = "model.layers.0.attn.b_proj.1.weight", shape = [4, 24], first_row = 0} : () -> tensor<2x2x24xf32, ["head", "step", "model"]>
  %54 = "mom.grouped_linear"(%24, %14, %52, %53) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x2x24xf32, ["head", "step", "model"]>, tensor<2x2x24xf32, ["head", "step", "model"]>) -> tensor<?x2x2xf32, ["2T", "head", "step"]>
  %56 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x2x2x8x8xf32, ["B", "memory", "head", "key", "value"]>
  %21, %31, %40, %57, %58 = "mom.fused"(%16, %12, %14, %19, %18, %27, %29, %28, %36, %38, %37, %42, %47, %48, %54, %56) ({
  ^bb0(%f1_16: tensor<?x2x8xf32, ["T", "head", "key"]>, %f1_12: tensor<?xi32, ["2T"]>, %f1_14: tensor<?xi32, ["2B+1"]>, %f1_19: tensor<2x8x4xf32, ["head", "key", "tap"]>, %f1_18: tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, %f1_27: tensor<?x2x2x8xf32, ["2T", "head", "step", "key"]>, %f1_29: tensor<2x2x8x4xf32, ["head", "step", "key", "tap"]>, %f1_28: tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "key"]>, %f1_36: tensor<?x2x2x8xf32, ["2T", "head", "step", "value"]>, %f1_38: tensor<2x2x8x4xf32, ["head", "step", "value", "tap"]>, %f1_37: tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "value"]>, %f1_42: tensor<2xf32, ["head"]>, %f1_47: tensor<?x2xf32, ["2T", "head"]>, %f1_48: tensor<2xf32, ["head"]>, %f1_54: tensor<?x2x2xf32, ["2T", "head", "step"]>, %f1_56: tensor<?x2x2x8x8xf32, ["B", "memory", "head", "key", "value"]>):
    %f1_17 = "mom.dispatch"(%f1_16, %f1_12, %f1_14) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
    %f1_20, %f1_21 = "mom.short_conv"(%f1_17, %f1_19, %f1_18, %f1_14) : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_22 = "mom.silu"(%f1_20) : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
    %f1_23 = "mom.l2_norm"(%f1_22) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
    %f1_30, %f1_31 = "mom.short_conv"(%f1_27, %f1_29, %f1_28, %f1_14) : (tensor<?x2x2x8xf32, ["2T", "head", "step", "key"]>, tensor<2x2x8x4xf32, ["head", "step", "key", "tap"]>, tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "key"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x2x8xf32, ["2T", "head", "step", "key"]>, tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "key"]>)
    %f1_32 = "mom.silu"(%f1_30) : (tensor<?x2x2x8xf32, ["2T", "head", "step", "key"]>) -> tensor<?x2x2x8xf32, ["2T", "head", "step", "key"]>
    %f1_33 = "mom.l2_norm"(%f1_32) {eps = 1.0e-6} : (tensor<?x2x2x8xf32, ["2T", "head", "step", "key"]>) -> tensor<?x2x2x8xf32, ["2T", "head", "step", "key"]>
    %f1_39, %f1_40 = "mom.short_conv"(%f1_36, %f1_38, %f1_37, %f1_14) : (tensor<?x2x2x8xf32, ["2T", "head", "step", "value"]>, tensor<2x2x8x4xf32, ["head", "step", "value", "tap"]>, tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x2x8xf32, ["2T", "head", "step", "value"]>, tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "value"]>)
    %f1_41 = "mom.silu"(%f1_39) : (tensor<?x2x2x8xf32, ["2T", "head", "step", "value"]>) -> tensor<?x2x2x8xf32, ["2T", "head", "step", "value"]>
    %f1_43 = "mom.exp"(%f1_42) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_44 = "mom.neg"(%f1_43) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_49 = "mom.add"(%f1_47, %f1_48) : (tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_50 = "mom.softplus"(%f1_49) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_51 = "mom.mul"(%f1_44, %f1_50) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_55 = "mom.sigmoid"(%f1_54) : (tensor<?x2x2xf32, ["2T", "head", "step"]>) -> tensor<?x2x2xf32, ["2T", "head", "step"]>
    %f1_57, %f1_58 = "mom.scan"(%f1_23, %f1_33, %f1_41, %f1_51, %f1_55, %f1_56, %f1_14) {update_rule = @gated_delta_product, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x2x8xf32, ["2T", "head", "step", "key"]>, tensor<?x2x2x8xf32, ["2T", "head", "step", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x2x2xf32, ["2T", "head", "step"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "key", "value"]>)
    "gpu.yield"(%f1_21, %f1_31, %f1_40, %f1_57, %f1_58) : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "key"]>, tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "value"]>, tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x2x8xf32, ["2T", "head", "step", "key"]>, tensor<2x2x8x4xf32, ["head", "step", "key", "tap"]>, tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "key"]>, tensor<?x2x2x8xf32, ["2T", "head", "step", "value"]>, tensor<2x2x8x4xf32, ["head", "step", "value", "tap"]>, tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "value"]>, tensor<2xf32, ["head"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>, tensor<?x2x2xf32, ["2T", "head", "step"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "key", "value"]>) -> (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "key"]>, tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "value"]>, tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "key", "value"]>)
  "mom.set_state"(%21) {name = "layers.0.conv_q"} : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%31) {name = "layers.0.conv_k"} : (tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "key"]>) -> ()
  "mom.set_state"(%40) {name = "layers.0.conv_v"} : (tensor<?x2x4x2x2x8xf32, ["B", "memory", "tap", "head", "step", "value"]>) -> ()
  "mom.set_state"(%58) {name = "layers.0.memory"} : (tensor<?x2x2x8x8xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  %59 = "mom.combine"(%57, %13, %11) : (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %60 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [8], first_row = 0} : () -> tensor<8xf32, ["value"]>
  %61 = "mom.rms_norm"(%59, %60) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<8xf32, ["value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %62 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %63 = "mom.linear"(%7, %62) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %64 = "mom.silu"(%63) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %65 = "mom.mul"(%61, %64) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %66 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 16], first_row = 0} : () -> tensor<24x2x8xf32, ["model", "head", "value"]>
  %67 = "mom.linear"(%65, %66) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<24x2x8xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %68 = "mom.add"(%5, %67) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %69 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %70 = "mom.rms_norm"(%68, %69) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %71 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %72 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %73 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 8], first_row = 0} : () -> tensor<24x8xf32, ["model", "hidden"]>
  %74 = "mom.linear"(%70, %71) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %75 = "mom.silu"(%74) : (tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %76 = "mom.linear"(%70, %72) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %77 = "mom.mul"(%75, %76) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %78 = "mom.linear"(%77, %73) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<24x8xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %79 = "mom.add"(%68, %78) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %80 = "mom.select_rows"(%79, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %81 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %82 = "mom.rms_norm"(%80, %81) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %83 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %84 = "mom.linear"(%82, %83) : (tensor<?x24xf32, ["L", "model"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x29xf32, ["L", "vocab"]>
  "mom.output"(%84) {name = "logits"} : (tensor<?x29xf32, ["L", "vocab"]>) -> ()
}
