// Inputs that two short convolutions make one after the other, that are rotated before they are routed, or made of one value twice.
//! sequences: 65, 0, 3
//! pieces: 1 2 7
module @m {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<8xf32, ["key"]>, %k: tensor<8xf32, ["key"]>, %v: tensor<16xf32, ["value"]>, %g: tensor<f32>, %h: tensor<8x16xf32, ["key", "value"]>):
    %0 = "mom.exp"(%g) : (tensor<f32>) -> tensor<f32>
    %1 = "mom.mul"(%0, %h) : (tensor<f32>, tensor<8x16xf32, ["key", "value"]>) -> tensor<8x16xf32, ["key", "value"]>
    %2 = "mom.mul"(%k, %v) : (tensor<8xf32, ["key"]>, tensor<16xf32, ["value"]>) -> tensor<8x16xf32, ["key", "value"]>
    %3 = "mom.add"(%1, %2) : (tensor<8x16xf32, ["key", "value"]>, tensor<8x16xf32, ["key", "value"]>) -> tensor<8x16xf32, ["key", "value"]>
    %4 = "mom.constant"() {value = 0.3535533905932738} : () -> tensor<f32>
    %5 = "mom.contract"(%3, %q) : (tensor<8x16xf32, ["key", "value"]>, tensor<8xf32, ["key"]>) -> tensor<16xf32, ["value"]>
    %6 = "mom.mul"(%4, %5) : (tensor<f32>, tensor<16xf32, ["value"]>) -> tensor<16xf32, ["value"]>
    "gpu.yield"(%3, %6) : (tensor<8x16xf32, ["key", "value"]>, tensor<16xf32, ["value"]>) -> ()
  }) {sym_name = "simple_gla", inputs = ["q", "k", "v", "g"], states = ["h"], outputs = ["o"], at_most = ["", "", "", "0.0"]} : () -> ()
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
  %23 = "mom.dispatch"(%7, %12, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
  %24 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %25 = "mom.param"() {name = "model.layers.0.attn.k_proj.1.weight", tensor = "model.layers.0.attn.k_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %26 = "mom.grouped_linear"(%23, %14, %24, %25) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %27 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %28 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %32 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %33 = "mom.param"() {name = "model.layers.0.attn.v_proj.1.weight", tensor = "model.layers.0.attn.v_proj.1.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %34 = "mom.grouped_linear"(%23, %14, %32, %33) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x16x24xf32, ["head", "value", "model"]>, tensor<2x16x24xf32, ["head", "value", "model"]>) -> tensor<?x2x16xf32, ["2T", "head", "value"]>
  %35 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>
  %36 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "value", "tap"]>
  %40 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %43 = "mom.param"() {name = "model.layers.0.attn.a_proj.0.weight", tensor = "model.layers.0.attn.a_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %44 = "mom.param"() {name = "model.layers.0.attn.a_proj.1.weight", tensor = "model.layers.0.attn.a_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %45 = "mom.grouped_linear"(%23, %14, %43, %44) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %46 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %50 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x2x2x8x16xf32, ["B", "memory", "head", "key", "value"]>
  %p2 = "mom.param"() {name = "again", tensor = "again", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "value", "tap"]>
  %p3 = "mom.state"() {name = "again"} : () -> tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>
  %p6 = "mom.param"() {name = "scale", tensor = "scale", shape = [8], first_row = 0} : () -> tensor<8xf32, ["key"]>
  %21, %30, %38, %p5, %51, %52 = "mom.fused"(%16, %1, %12, %14, %19, %18, %26, %28, %27, %34, %36, %35, %40, %45, %46, %p2, %p3, %p6, %50) ({
  ^bb0(%f1_16: tensor<?x2x8xf32, ["T", "head", "key"]>, %f1_1: tensor<?xi32, ["T"]>, %f1_12: tensor<?xi32, ["2T"]>, %f1_14: tensor<?xi32, ["2B+1"]>, %f1_19: tensor<2x8x4xf32, ["head", "key", "tap"]>, %f1_18: tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, %f1_26: tensor<?x2x8xf32, ["2T", "head", "key"]>, %f1_28: tensor<2x8x4xf32, ["head", "key", "tap"]>, %f1_27: tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, %f1_34: tensor<?x2x16xf32, ["2T", "head", "value"]>, %f1_36: tensor<2x16x4xf32, ["head", "value", "tap"]>, %f1_35: tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, %f1_40: tensor<2xf32, ["head"]>, %f1_45: tensor<?x2xf32, ["2T", "head"]>, %f1_46: tensor<2xf32, ["head"]>, %f1_p2: tensor<2x16x4xf32, ["head", "value", "tap"]>, %f1_p3: tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, %f1_p6: tensor<8xf32, ["key"]>, %f1_50: tensor<?x2x2x8x16xf32, ["B", "memory", "head", "key", "value"]>):
    %f1_p1 = "mom.rotary"(%f1_16, %f1_1) {base = 100.0} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["T"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %f1_17 = "mom.dispatch"(%f1_p1, %f1_12, %f1_14) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
    %f1_20, %f1_21 = "mom.short_conv"(%f1_17, %f1_19, %f1_18, %f1_14) : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_22 = "mom.silu"(%f1_20) : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
    %f1_29, %f1_30 = "mom.short_conv"(%f1_26, %f1_28, %f1_27, %f1_14) : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_31 = "mom.silu"(%f1_29) : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
    %f1_37, %f1_38 = "mom.short_conv"(%f1_34, %f1_36, %f1_35, %f1_14) : (tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<2x16x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>)
    %f1_39 = "mom.silu"(%f1_37) : (tensor<?x2x16xf32, ["2T", "head", "value"]>) -> tensor<?x2x16xf32, ["2T", "head", "value"]>
    %f1_41 = "mom.exp"(%f1_40) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_42 = "mom.neg"(%f1_41) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_47 = "mom.add"(%f1_45, %f1_46) : (tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_48 = "mom.softplus"(%f1_47) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_49 = "mom.mul"(%f1_42, %f1_48) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_p4, %f1_p5 = "mom.short_conv"(%f1_39, %f1_p2, %f1_p3, %f1_14) : (tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<2x16x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>)
    %f1_p7 = "mom.rms_norm"(%f1_31, %f1_p6) {eps = 1.0e-5} : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<8xf32, ["key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
    %f1_p8 = "mom.mul"(%f1_p7, %f1_31) : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
    %f1_51, %f1_52 = "mom.scan"(%f1_22, %f1_p8, %f1_p4, %f1_49, %f1_50, %f1_14) {update_rule = @simple_gla, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x2x2x8x16xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x2x2x8x16xf32, ["B", "memory", "head", "key", "value"]>)
    "gpu.yield"(%f1_21, %f1_30, %f1_38, %f1_p5, %f1_51, %f1_52) : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x2x2x8x16xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<2x16x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<2xf32, ["head"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>, tensor<2x16x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<8xf32, ["key"]>, tensor<?x2x2x8x16xf32, ["B", "memory", "head", "key", "value"]>) -> (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x2x2x8x16xf32, ["B", "memory", "head", "key", "value"]>)
  "mom.set_state"(%21) {name = "layers.0.conv_q"} : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%30) {name = "layers.0.conv_k"} : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%38) {name = "layers.0.conv_v"} : (tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%p5) {name = "again"} : (tensor<?x2x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%52) {name = "layers.0.memory"} : (tensor<?x2x2x8x16xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  %53 = "mom.combine"(%51, %13, %11) : (tensor<?x2x16xf32, ["2T", "head", "value"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %54 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [16], first_row = 0} : () -> tensor<16xf32, ["value"]>
  %55 = "mom.rms_norm"(%53, %54) {eps = 1.0e-6} : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<16xf32, ["value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %56 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %57 = "mom.linear"(%7, %56) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x16x24xf32, ["head", "value", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %58 = "mom.silu"(%57) : (tensor<?x2x16xf32, ["T", "head", "value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %59 = "mom.mul"(%55, %58) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x2x16xf32, ["T", "head", "value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %60 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 32], first_row = 0} : () -> tensor<24x2x16xf32, ["model", "head", "value"]>
  %61 = "mom.linear"(%59, %60) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<24x2x16xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %62 = "mom.add"(%5, %61) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %63 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %64 = "mom.rms_norm"(%62, %63) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %65 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %66 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %67 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 8], first_row = 0} : () -> tensor<24x8xf32, ["model", "hidden"]>
  %68 = "mom.linear"(%64, %65) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %69 = "mom.silu"(%68) : (tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %70 = "mom.linear"(%64, %66) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %71 = "mom.mul"(%69, %70) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %72 = "mom.linear"(%71, %67) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<24x8xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %73 = "mom.add"(%62, %72) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %74 = "mom.select_rows"(%73, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %75 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %76 = "mom.rms_norm"(%74, %75) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %77 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %78 = "mom.linear"(%76, %77) : (tensor<?x24xf32, ["L", "model"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x29xf32, ["L", "vocab"]>
  "mom.output"(%78) {name = "logits"} : (tensor<?x29xf32, ["L", "vocab"]>) -> ()
}
