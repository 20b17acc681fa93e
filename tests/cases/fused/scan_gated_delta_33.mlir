// Values that no vector divides.
//! sequences: 65, 0, 3
//! pieces: 1 2
module @m {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<8xf32, ["key"]>, %k: tensor<8xf32, ["key"]>, %v: tensor<33xf32, ["value"]>, %beta: tensor<f32>, %g: tensor<f32>, %h: tensor<8x33xf32, ["key", "value"]>):
    %0 = "mom.exp"(%g) : (tensor<f32>) -> tensor<f32>
    %1 = "mom.mul"(%0, %h) : (tensor<f32>, tensor<8x33xf32, ["key", "value"]>) -> tensor<8x33xf32, ["key", "value"]>
    %2 = "mom.contract"(%1, %k) : (tensor<8x33xf32, ["key", "value"]>, tensor<8xf32, ["key"]>) -> tensor<33xf32, ["value"]>
    %3 = "mom.sub"(%v, %2) : (tensor<33xf32, ["value"]>, tensor<33xf32, ["value"]>) -> tensor<33xf32, ["value"]>
    %4 = "mom.mul"(%k, %3) : (tensor<8xf32, ["key"]>, tensor<33xf32, ["value"]>) -> tensor<8x33xf32, ["key", "value"]>
    %5 = "mom.mul"(%beta, %4) : (tensor<f32>, tensor<8x33xf32, ["key", "value"]>) -> tensor<8x33xf32, ["key", "value"]>
    %6 = "mom.add"(%1, %5) : (tensor<8x33xf32, ["key", "value"]>, tensor<8x33xf32, ["key", "value"]>) -> tensor<8x33xf32, ["key", "value"]>
    %7 = "mom.constant"() {value = 0.3535533905932738} : () -> tensor<f32>
    %8 = "mom.contract"(%6, %q) : (tensor<8x33xf32, ["key", "value"]>, tensor<8xf32, ["key"]>) -> tensor<33xf32, ["value"]>
    %9 = "mom.mul"(%7, %8) : (tensor<f32>, tensor<33xf32, ["value"]>) -> tensor<33xf32, ["value"]>
    "gpu.yield"(%6, %9) : (tensor<8x33xf32, ["key", "value"]>, tensor<33xf32, ["value"]>) -> ()
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
  %15 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<1x8x24xf32, ["head", "key", "model"]>
  %16 = "mom.linear"(%7, %15) : (tensor<?x24xf32, ["T", "model"]>, tensor<1x8x24xf32, ["head", "key", "model"]>) -> tensor<?x1x8xf32, ["T", "head", "key"]>
  %18 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>
  %19 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [8, 1, 4], first_row = 0} : () -> tensor<1x8x4xf32, ["head", "key", "tap"]>
  %24 = "mom.dispatch"(%7, %12, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
  %25 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [8, 24], first_row = 0} : () -> tensor<1x8x24xf32, ["head", "key", "model"]>
  %26 = "mom.param"() {name = "model.layers.0.attn.k_proj.1.weight", tensor = "model.layers.0.attn.k_proj.1.weight", shape = [8, 24], first_row = 0} : () -> tensor<1x8x24xf32, ["head", "key", "model"]>
  %27 = "mom.grouped_linear"(%24, %14, %25, %26) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<1x8x24xf32, ["head", "key", "model"]>, tensor<1x8x24xf32, ["head", "key", "model"]>) -> tensor<?x1x8xf32, ["2T", "head", "key"]>
  %28 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>
  %29 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [8, 1, 4], first_row = 0} : () -> tensor<1x8x4xf32, ["head", "key", "tap"]>
  %34 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [33, 24], first_row = 0} : () -> tensor<1x33x24xf32, ["head", "value", "model"]>
  %35 = "mom.param"() {name = "model.layers.0.attn.v_proj.1.weight", tensor = "model.layers.0.attn.v_proj.1.weight", shape = [33, 24], first_row = 0} : () -> tensor<1x33x24xf32, ["head", "value", "model"]>
  %36 = "mom.grouped_linear"(%24, %14, %34, %35) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<1x33x24xf32, ["head", "value", "model"]>, tensor<1x33x24xf32, ["head", "value", "model"]>) -> tensor<?x1x33xf32, ["2T", "head", "value"]>
  %37 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x2x4x1x33xf32, ["B", "memory", "tap", "head", "value"]>
  %38 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [33, 1, 4], first_row = 0} : () -> tensor<1x33x4xf32, ["head", "value", "tap"]>
  %42 = "mom.param"() {name = "model.layers.0.attn.b_proj.0.weight", tensor = "model.layers.0.attn.b_proj.0.weight", shape = [1, 24], first_row = 0} : () -> tensor<1x24xf32, ["head", "model"]>
  %43 = "mom.param"() {name = "model.layers.0.attn.b_proj.1.weight", tensor = "model.layers.0.attn.b_proj.1.weight", shape = [1, 24], first_row = 0} : () -> tensor<1x24xf32, ["head", "model"]>
  %44 = "mom.grouped_linear"(%24, %14, %42, %43) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<1x24xf32, ["head", "model"]>, tensor<1x24xf32, ["head", "model"]>) -> tensor<?x1xf32, ["2T", "head"]>
  %46 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [1], first_row = 0} : () -> tensor<1xf32, ["head"]>
  %49 = "mom.param"() {name = "model.layers.0.attn.a_proj.0.weight", tensor = "model.layers.0.attn.a_proj.0.weight", shape = [1, 24], first_row = 0} : () -> tensor<1x24xf32, ["head", "model"]>
  %50 = "mom.param"() {name = "model.layers.0.attn.a_proj.1.weight", tensor = "model.layers.0.attn.a_proj.1.weight", shape = [1, 24], first_row = 0} : () -> tensor<1x24xf32, ["head", "model"]>
  %51 = "mom.grouped_linear"(%24, %14, %49, %50) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<1x24xf32, ["head", "model"]>, tensor<1x24xf32, ["head", "model"]>) -> tensor<?x1xf32, ["2T", "head"]>
  %52 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [1], first_row = 0} : () -> tensor<1xf32, ["head"]>
  %56 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x2x1x8x33xf32, ["B", "memory", "head", "key", "value"]>
  %21, %31, %40, %57, %58 = "mom.fused"(%16, %12, %14, %19, %18, %27, %29, %28, %36, %38, %37, %44, %46, %51, %52, %56) ({
  ^bb0(%f1_16: tensor<?x1x8xf32, ["T", "head", "key"]>, %f1_12: tensor<?xi32, ["2T"]>, %f1_14: tensor<?xi32, ["2B+1"]>, %f1_19: tensor<1x8x4xf32, ["head", "key", "tap"]>, %f1_18: tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>, %f1_27: tensor<?x1x8xf32, ["2T", "head", "key"]>, %f1_29: tensor<1x8x4xf32, ["head", "key", "tap"]>, %f1_28: tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>, %f1_36: tensor<?x1x33xf32, ["2T", "head", "value"]>, %f1_38: tensor<1x33x4xf32, ["head", "value", "tap"]>, %f1_37: tensor<?x2x4x1x33xf32, ["B", "memory", "tap", "head", "value"]>, %f1_44: tensor<?x1xf32, ["2T", "head"]>, %f1_46: tensor<1xf32, ["head"]>, %f1_51: tensor<?x1xf32, ["2T", "head"]>, %f1_52: tensor<1xf32, ["head"]>, %f1_56: tensor<?x2x1x8x33xf32, ["B", "memory", "head", "key", "value"]>):
    %f1_17 = "mom.dispatch"(%f1_16, %f1_12, %f1_14) : (tensor<?x1x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x1x8xf32, ["2T", "head", "key"]>
    %f1_20, %f1_21 = "mom.short_conv"(%f1_17, %f1_19, %f1_18, %f1_14) : (tensor<?x1x8xf32, ["2T", "head", "key"]>, tensor<1x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x1x8xf32, ["2T", "head", "key"]>, tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_22 = "mom.silu"(%f1_20) : (tensor<?x1x8xf32, ["2T", "head", "key"]>) -> tensor<?x1x8xf32, ["2T", "head", "key"]>
    %f1_23 = "mom.l2_norm"(%f1_22) {eps = 1.0e-6} : (tensor<?x1x8xf32, ["2T", "head", "key"]>) -> tensor<?x1x8xf32, ["2T", "head", "key"]>
    %f1_30, %f1_31 = "mom.short_conv"(%f1_27, %f1_29, %f1_28, %f1_14) : (tensor<?x1x8xf32, ["2T", "head", "key"]>, tensor<1x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x1x8xf32, ["2T", "head", "key"]>, tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_32 = "mom.silu"(%f1_30) : (tensor<?x1x8xf32, ["2T", "head", "key"]>) -> tensor<?x1x8xf32, ["2T", "head", "key"]>
    %f1_33 = "mom.l2_norm"(%f1_32) {eps = 1.0e-6} : (tensor<?x1x8xf32, ["2T", "head", "key"]>) -> tensor<?x1x8xf32, ["2T", "head", "key"]>
    %f1_39, %f1_40 = "mom.short_conv"(%f1_36, %f1_38, %f1_37, %f1_14) : (tensor<?x1x33xf32, ["2T", "head", "value"]>, tensor<1x33x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x1x33xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x1x33xf32, ["2T", "head", "value"]>, tensor<?x2x4x1x33xf32, ["B", "memory", "tap", "head", "value"]>)
    %f1_41 = "mom.silu"(%f1_39) : (tensor<?x1x33xf32, ["2T", "head", "value"]>) -> tensor<?x1x33xf32, ["2T", "head", "value"]>
    %f1_45 = "mom.sigmoid"(%f1_44) : (tensor<?x1xf32, ["2T", "head"]>) -> tensor<?x1xf32, ["2T", "head"]>
    %f1_47 = "mom.exp"(%f1_46) : (tensor<1xf32, ["head"]>) -> tensor<1xf32, ["head"]>
    %f1_48 = "mom.neg"(%f1_47) : (tensor<1xf32, ["head"]>) -> tensor<1xf32, ["head"]>
    %f1_53 = "mom.add"(%f1_51, %f1_52) : (tensor<?x1xf32, ["2T", "head"]>, tensor<1xf32, ["head"]>) -> tensor<?x1xf32, ["2T", "head"]>
    %f1_54 = "mom.softplus"(%f1_53) : (tensor<?x1xf32, ["2T", "head"]>) -> tensor<?x1xf32, ["2T", "head"]>
    %f1_55 = "mom.mul"(%f1_48, %f1_54) : (tensor<1xf32, ["head"]>, tensor<?x1xf32, ["2T", "head"]>) -> tensor<?x1xf32, ["2T", "head"]>
    %f1_57, %f1_58 = "mom.scan"(%f1_23, %f1_33, %f1_41, %f1_45, %f1_55, %f1_56, %f1_14) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x8xf32, ["2T", "head", "key"]>, tensor<?x1x8xf32, ["2T", "head", "key"]>, tensor<?x1x33xf32, ["2T", "head", "value"]>, tensor<?x1xf32, ["2T", "head"]>, tensor<?x1xf32, ["2T", "head"]>, tensor<?x2x1x8x33xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x1x33xf32, ["2T", "head", "value"]>, tensor<?x2x1x8x33xf32, ["B", "memory", "head", "key", "value"]>)
    "gpu.yield"(%f1_21, %f1_31, %f1_40, %f1_57, %f1_58) : (tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x1x33xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x1x33xf32, ["2T", "head", "value"]>, tensor<?x2x1x8x33xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>, tensor<1x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x1x8xf32, ["2T", "head", "key"]>, tensor<1x8x4xf32, ["head", "key", "tap"]>, tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x1x33xf32, ["2T", "head", "value"]>, tensor<1x33x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x1x33xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x1xf32, ["2T", "head"]>, tensor<1xf32, ["head"]>, tensor<?x1xf32, ["2T", "head"]>, tensor<1xf32, ["head"]>, tensor<?x2x1x8x33xf32, ["B", "memory", "head", "key", "value"]>) -> (tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x4x1x33xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x1x33xf32, ["2T", "head", "value"]>, tensor<?x2x1x8x33xf32, ["B", "memory", "head", "key", "value"]>)
  "mom.set_state"(%21) {name = "layers.0.conv_q"} : (tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%31) {name = "layers.0.conv_k"} : (tensor<?x2x4x1x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%40) {name = "layers.0.conv_v"} : (tensor<?x2x4x1x33xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%58) {name = "layers.0.memory"} : (tensor<?x2x1x8x33xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  %59 = "mom.combine"(%57, %13, %11) : (tensor<?x1x33xf32, ["2T", "head", "value"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x1x33xf32, ["T", "head", "value"]>
  %60 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [33], first_row = 0} : () -> tensor<33xf32, ["value"]>
  %61 = "mom.rms_norm"(%59, %60) {eps = 1.0e-6} : (tensor<?x1x33xf32, ["T", "head", "value"]>, tensor<33xf32, ["value"]>) -> tensor<?x1x33xf32, ["T", "head", "value"]>
  %62 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [33, 24], first_row = 0} : () -> tensor<1x33x24xf32, ["head", "value", "model"]>
  %63 = "mom.linear"(%7, %62) : (tensor<?x24xf32, ["T", "model"]>, tensor<1x33x24xf32, ["head", "value", "model"]>) -> tensor<?x1x33xf32, ["T", "head", "value"]>
  %64 = "mom.silu"(%63) : (tensor<?x1x33xf32, ["T", "head", "value"]>) -> tensor<?x1x33xf32, ["T", "head", "value"]>
  %65 = "mom.mul"(%61, %64) : (tensor<?x1x33xf32, ["T", "head", "value"]>, tensor<?x1x33xf32, ["T", "head", "value"]>) -> tensor<?x1x33xf32, ["T", "head", "value"]>
  %66 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 33], first_row = 0} : () -> tensor<24x1x33xf32, ["model", "head", "value"]>
  %67 = "mom.linear"(%65, %66) : (tensor<?x1x33xf32, ["T", "head", "value"]>, tensor<24x1x33xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
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
