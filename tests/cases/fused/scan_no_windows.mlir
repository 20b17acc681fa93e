// Without windows a head is several items, and heads may share their inputs.
//! sequences: 65, 0, 3
//! pieces: 1 2 7
module @m {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<64xf32, ["key"]>, %k: tensor<64xf32, ["key"]>, %v: tensor<64xf32, ["value"]>, %beta: tensor<f32>, %g: tensor<f32>, %h: tensor<64x64xf32, ["key", "value"]>):
    %0 = "mom.exp"(%g) : (tensor<f32>) -> tensor<f32>
    %1 = "mom.mul"(%0, %h) : (tensor<f32>, tensor<64x64xf32, ["key", "value"]>) -> tensor<64x64xf32, ["key", "value"]>
    %2 = "mom.contract"(%1, %k) : (tensor<64x64xf32, ["key", "value"]>, tensor<64xf32, ["key"]>) -> tensor<64xf32, ["value"]>
    %3 = "mom.sub"(%v, %2) : (tensor<64xf32, ["value"]>, tensor<64xf32, ["value"]>) -> tensor<64xf32, ["value"]>
    %4 = "mom.mul"(%k, %3) : (tensor<64xf32, ["key"]>, tensor<64xf32, ["value"]>) -> tensor<64x64xf32, ["key", "value"]>
    %5 = "mom.mul"(%beta, %4) : (tensor<f32>, tensor<64x64xf32, ["key", "value"]>) -> tensor<64x64xf32, ["key", "value"]>
    %6 = "mom.add"(%1, %5) : (tensor<64x64xf32, ["key", "value"]>, tensor<64x64xf32, ["key", "value"]>) -> tensor<64x64xf32, ["key", "value"]>
    %7 = "mom.constant"() {value = 0.125} : () -> tensor<f32>
    %8 = "mom.contract"(%6, %q) : (tensor<64x64xf32, ["key", "value"]>, tensor<64xf32, ["key"]>) -> tensor<64xf32, ["value"]>
    %9 = "mom.mul"(%7, %8) : (tensor<f32>, tensor<64xf32, ["value"]>) -> tensor<64xf32, ["value"]>
    "gpu.yield"(%6, %9) : (tensor<64x64xf32, ["key", "value"]>, tensor<64xf32, ["value"]>) -> ()
  }) {sym_name = "gated_delta_rule", inputs = ["q", "k", "v", "beta", "g"], states = ["h"], outputs = ["o"], at_most = ["", "", "", "", "0.0"]} : () -> ()
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
  %15 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [64, 24], first_row = 0} : () -> tensor<1x64x24xf32, ["head", "key", "model"]>
  %16 = "mom.linear"(%7, %15) : (tensor<?x24xf32, ["T", "model"]>, tensor<1x64x24xf32, ["head", "key", "model"]>) -> tensor<?x1x64xf32, ["T", "head", "key"]>
  %20 = "mom.dispatch"(%7, %12, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
  %21 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [64, 24], first_row = 0} : () -> tensor<1x64x24xf32, ["head", "key", "model"]>
  %22 = "mom.param"() {name = "model.layers.0.attn.k_proj.1.weight", tensor = "model.layers.0.attn.k_proj.1.weight", shape = [64, 24], first_row = 0} : () -> tensor<1x64x24xf32, ["head", "key", "model"]>
  %23 = "mom.grouped_linear"(%20, %14, %21, %22) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<1x64x24xf32, ["head", "key", "model"]>, tensor<1x64x24xf32, ["head", "key", "model"]>) -> tensor<?x1x64xf32, ["2T", "head", "key"]>
  %26 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [128, 24], first_row = 0} : () -> tensor<2x64x24xf32, ["head", "value", "model"]>
  %27 = "mom.param"() {name = "model.layers.0.attn.v_proj.1.weight", tensor = "model.layers.0.attn.v_proj.1.weight", shape = [128, 24], first_row = 0} : () -> tensor<2x64x24xf32, ["head", "value", "model"]>
  %28 = "mom.grouped_linear"(%20, %14, %26, %27) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x64x24xf32, ["head", "value", "model"]>, tensor<2x64x24xf32, ["head", "value", "model"]>) -> tensor<?x2x64xf32, ["2T", "head", "value"]>
  %30 = "mom.param"() {name = "model.layers.0.attn.b_proj.0.weight", tensor = "model.layers.0.attn.b_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %31 = "mom.param"() {name = "model.layers.0.attn.b_proj.1.weight", tensor = "model.layers.0.attn.b_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %32 = "mom.grouped_linear"(%20, %14, %30, %31) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %34 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %37 = "mom.param"() {name = "model.layers.0.attn.a_proj.0.weight", tensor = "model.layers.0.attn.a_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %38 = "mom.param"() {name = "model.layers.0.attn.a_proj.1.weight", tensor = "model.layers.0.attn.a_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %39 = "mom.grouped_linear"(%20, %14, %37, %38) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %40 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %44 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x2x2x64x64xf32, ["B", "memory", "head", "key", "value"]>
  %45, %46 = "mom.fused"(%16, %12, %14, %23, %28, %32, %34, %39, %40, %44) ({
  ^bb0(%f1_16: tensor<?x1x64xf32, ["T", "head", "key"]>, %f1_12: tensor<?xi32, ["2T"]>, %f1_14: tensor<?xi32, ["2B+1"]>, %f1_23: tensor<?x1x64xf32, ["2T", "head", "key"]>, %f1_28: tensor<?x2x64xf32, ["2T", "head", "value"]>, %f1_32: tensor<?x2xf32, ["2T", "head"]>, %f1_34: tensor<2xf32, ["head"]>, %f1_39: tensor<?x2xf32, ["2T", "head"]>, %f1_40: tensor<2xf32, ["head"]>, %f1_44: tensor<?x2x2x64x64xf32, ["B", "memory", "head", "key", "value"]>):
    %f1_17 = "mom.dispatch"(%f1_16, %f1_12, %f1_14) : (tensor<?x1x64xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x1x64xf32, ["2T", "head", "key"]>
    %f1_18 = "mom.silu"(%f1_17) : (tensor<?x1x64xf32, ["2T", "head", "key"]>) -> tensor<?x1x64xf32, ["2T", "head", "key"]>
    %f1_19 = "mom.l2_norm"(%f1_18) {eps = 1.0e-6} : (tensor<?x1x64xf32, ["2T", "head", "key"]>) -> tensor<?x1x64xf32, ["2T", "head", "key"]>
    %f1_24 = "mom.silu"(%f1_23) : (tensor<?x1x64xf32, ["2T", "head", "key"]>) -> tensor<?x1x64xf32, ["2T", "head", "key"]>
    %f1_25 = "mom.l2_norm"(%f1_24) {eps = 1.0e-6} : (tensor<?x1x64xf32, ["2T", "head", "key"]>) -> tensor<?x1x64xf32, ["2T", "head", "key"]>
    %f1_29 = "mom.silu"(%f1_28) : (tensor<?x2x64xf32, ["2T", "head", "value"]>) -> tensor<?x2x64xf32, ["2T", "head", "value"]>
    %f1_33 = "mom.sigmoid"(%f1_32) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_35 = "mom.exp"(%f1_34) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_36 = "mom.neg"(%f1_35) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_41 = "mom.add"(%f1_39, %f1_40) : (tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_42 = "mom.softplus"(%f1_41) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_43 = "mom.mul"(%f1_36, %f1_42) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_45, %f1_46 = "mom.scan"(%f1_19, %f1_25, %f1_29, %f1_33, %f1_43, %f1_44, %f1_14) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x64xf32, ["2T", "head", "key"]>, tensor<?x1x64xf32, ["2T", "head", "key"]>, tensor<?x2x64xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x2x2x64x64xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x64xf32, ["2T", "head", "value"]>, tensor<?x2x2x64x64xf32, ["B", "memory", "head", "key", "value"]>)
    "gpu.yield"(%f1_45, %f1_46) : (tensor<?x2x64xf32, ["2T", "head", "value"]>, tensor<?x2x2x64x64xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x64xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>, tensor<?x1x64xf32, ["2T", "head", "key"]>, tensor<?x2x64xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>, tensor<?x2x2x64x64xf32, ["B", "memory", "head", "key", "value"]>) -> (tensor<?x2x64xf32, ["2T", "head", "value"]>, tensor<?x2x2x64x64xf32, ["B", "memory", "head", "key", "value"]>)
  "mom.set_state"(%46) {name = "layers.0.memory"} : (tensor<?x2x2x64x64xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  %47 = "mom.combine"(%45, %13, %11) : (tensor<?x2x64xf32, ["2T", "head", "value"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2x64xf32, ["T", "head", "value"]>
  %48 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [64], first_row = 0} : () -> tensor<64xf32, ["value"]>
  %49 = "mom.rms_norm"(%47, %48) {eps = 1.0e-6} : (tensor<?x2x64xf32, ["T", "head", "value"]>, tensor<64xf32, ["value"]>) -> tensor<?x2x64xf32, ["T", "head", "value"]>
  %50 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [128, 24], first_row = 0} : () -> tensor<2x64x24xf32, ["head", "value", "model"]>
  %51 = "mom.linear"(%7, %50) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x64x24xf32, ["head", "value", "model"]>) -> tensor<?x2x64xf32, ["T", "head", "value"]>
  %52 = "mom.silu"(%51) : (tensor<?x2x64xf32, ["T", "head", "value"]>) -> tensor<?x2x64xf32, ["T", "head", "value"]>
  %53 = "mom.mul"(%49, %52) : (tensor<?x2x64xf32, ["T", "head", "value"]>, tensor<?x2x64xf32, ["T", "head", "value"]>) -> tensor<?x2x64xf32, ["T", "head", "value"]>
  %54 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 128], first_row = 0} : () -> tensor<24x2x64xf32, ["model", "head", "value"]>
  %55 = "mom.linear"(%53, %54) : (tensor<?x2x64xf32, ["T", "head", "value"]>, tensor<24x2x64xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %56 = "mom.add"(%5, %55) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %57 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %58 = "mom.rms_norm"(%56, %57) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %59 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %60 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %61 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 8], first_row = 0} : () -> tensor<24x8xf32, ["model", "hidden"]>
  %62 = "mom.linear"(%58, %59) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %63 = "mom.silu"(%62) : (tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %64 = "mom.linear"(%58, %60) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %65 = "mom.mul"(%63, %64) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %66 = "mom.linear"(%65, %61) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<24x8xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %67 = "mom.add"(%56, %66) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %68 = "mom.select_rows"(%67, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %69 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %70 = "mom.rms_norm"(%68, %69) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %71 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %72 = "mom.linear"(%70, %71) : (tensor<?x24xf32, ["L", "model"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x29xf32, ["L", "vocab"]>
  "mom.output"(%72) {name = "logits"} : (tensor<?x29xf32, ["L", "vocab"]>) -> ()
}
