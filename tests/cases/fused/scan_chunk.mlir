// A scan in chunks of tokens, whose inputs are made chunk by chunk.
//! schedule: chunk=16
//! sequences: 65, 0, 3, 130
//! pieces: 16 48
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
  %8 = "mom.param"() {name = "model.layers.0.attn.gate.weight", tensor = "model.layers.0.attn.gate.weight", shape = [1, 24], first_row = 0} : () -> tensor<1x24xf32, ["memory", "model"]>
  %9 = "mom.linear"(%7, %8) : (tensor<?x24xf32, ["T", "model"]>, tensor<1x24xf32, ["memory", "model"]>) -> tensor<?x1xf32, ["T", "memory"]>
  "mom.output"(%9) {name = "router_logits.0"} : (tensor<?x1xf32, ["T", "memory"]>) -> ()
  %10, %11 = "mom.router"(%9) {top_k = 1} : (tensor<?x1xf32, ["T", "memory"]>) -> (tensor<?x1xi32, ["T", "choice"]>, tensor<?x1xf32, ["T", "choice"]>)
  %12, %13, %14 = "mom.sort"(%10, %1, %2) {memories = 1} : (tensor<?x1xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["T"]>, tensor<?x1xi32, ["T", "choice"]>, tensor<?xi32, ["B+1"]>)
  %15 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "key", "model"]>
  %16 = "mom.linear"(%7, %15) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x16x24xf32, ["head", "key", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
  %18 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>
  %19 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "key", "tap"]>
  %24 = "mom.dispatch"(%7, %12, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> tensor<?x24xf32, ["T", "model"]>
  %25 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "key", "model"]>
  %26 = "mom.grouped_linear"(%24, %14, %25) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["B+1"]>, tensor<2x16x24xf32, ["head", "key", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
  %27 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>
  %28 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "key", "tap"]>
  %33 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %34 = "mom.grouped_linear"(%24, %14, %33) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["B+1"]>, tensor<2x16x24xf32, ["head", "value", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %35 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>
  %36 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [32, 1, 4], first_row = 0} : () -> tensor<2x16x4xf32, ["head", "value", "tap"]>
  %40 = "mom.param"() {name = "model.layers.0.attn.b_proj.0.weight", tensor = "model.layers.0.attn.b_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %41 = "mom.grouped_linear"(%24, %14, %40) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["B+1"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["T", "head"]>
  %43 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %46 = "mom.param"() {name = "model.layers.0.attn.a_proj.0.weight", tensor = "model.layers.0.attn.a_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %47 = "mom.grouped_linear"(%24, %14, %46) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["B+1"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["T", "head"]>
  %48 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %52 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x1x2x16x16xf32, ["B", "memory", "head", "key", "value"]>
  %21, %30, %38, %53, %54 = "mom.fused"(%16, %12, %14, %19, %18, %26, %28, %27, %34, %36, %35, %41, %43, %47, %48, %52) ({
  ^bb0(%f1_16: tensor<?x2x16xf32, ["T", "head", "key"]>, %f1_12: tensor<?xi32, ["T"]>, %f1_14: tensor<?xi32, ["B+1"]>, %f1_19: tensor<2x16x4xf32, ["head", "key", "tap"]>, %f1_18: tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, %f1_26: tensor<?x2x16xf32, ["T", "head", "key"]>, %f1_28: tensor<2x16x4xf32, ["head", "key", "tap"]>, %f1_27: tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, %f1_34: tensor<?x2x16xf32, ["T", "head", "value"]>, %f1_36: tensor<2x16x4xf32, ["head", "value", "tap"]>, %f1_35: tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, %f1_41: tensor<?x2xf32, ["T", "head"]>, %f1_43: tensor<2xf32, ["head"]>, %f1_47: tensor<?x2xf32, ["T", "head"]>, %f1_48: tensor<2xf32, ["head"]>, %f1_52: tensor<?x1x2x16x16xf32, ["B", "memory", "head", "key", "value"]>):
    %f1_17 = "mom.dispatch"(%f1_16, %f1_12, %f1_14) : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
    %f1_20, %f1_21 = "mom.short_conv"(%f1_17, %f1_19, %f1_18, %f1_14) : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_22 = "mom.silu"(%f1_20) : (tensor<?x2x16xf32, ["T", "head", "key"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
    %f1_23 = "mom.l2_norm"(%f1_22) {eps = 1.0e-6} : (tensor<?x2x16xf32, ["T", "head", "key"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
    %f1_29, %f1_30 = "mom.short_conv"(%f1_26, %f1_28, %f1_27, %f1_14) : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>)
    %f1_31 = "mom.silu"(%f1_29) : (tensor<?x2x16xf32, ["T", "head", "key"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
    %f1_32 = "mom.l2_norm"(%f1_31) {eps = 1.0e-6} : (tensor<?x2x16xf32, ["T", "head", "key"]>) -> tensor<?x2x16xf32, ["T", "head", "key"]>
    %f1_37, %f1_38 = "mom.short_conv"(%f1_34, %f1_36, %f1_35, %f1_14) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<2x16x4xf32, ["head", "value", "tap"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>)
    %f1_39 = "mom.silu"(%f1_37) : (tensor<?x2x16xf32, ["T", "head", "value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
    %f1_42 = "mom.sigmoid"(%f1_41) : (tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
    %f1_44 = "mom.exp"(%f1_43) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_45 = "mom.neg"(%f1_44) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
    %f1_49 = "mom.add"(%f1_47, %f1_48) : (tensor<?x2xf32, ["T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["T", "head"]>
    %f1_50 = "mom.softplus"(%f1_49) : (tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
    %f1_51 = "mom.mul"(%f1_45, %f1_50) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
    %f1_53, %f1_54 = "mom.scan"(%f1_23, %f1_32, %f1_39, %f1_42, %f1_51, %f1_52, %f1_14) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x2xf32, ["T", "head"]>, tensor<?x2xf32, ["T", "head"]>, tensor<?x1x2x16x16xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x1x2x16x16xf32, ["B", "memory", "head", "key", "value"]>)
    "gpu.yield"(%f1_21, %f1_30, %f1_38, %f1_53, %f1_54) : (tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x1x2x16x16xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x16xf32, ["T", "head", "key"]>, tensor<2x16x4xf32, ["head", "key", "tap"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<2x16x4xf32, ["head", "value", "tap"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2xf32, ["T", "head"]>, tensor<2xf32, ["head"]>, tensor<?x2xf32, ["T", "head"]>, tensor<2xf32, ["head"]>, tensor<?x1x2x16x16xf32, ["B", "memory", "head", "key", "value"]>) -> (tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x1x2x16x16xf32, ["B", "memory", "head", "key", "value"]>)
  "mom.set_state"(%21) {name = "layers.0.conv_q"} : (tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%30) {name = "layers.0.conv_k"} : (tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%38) {name = "layers.0.conv_v"} : (tensor<?x1x4x2x16xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%54) {name = "layers.0.memory"} : (tensor<?x1x2x16x16xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  %55 = "mom.combine"(%53, %13, %11) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x1xi32, ["T", "choice"]>, tensor<?x1xf32, ["T", "choice"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %56 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [16], first_row = 0} : () -> tensor<16xf32, ["value"]>
  %57 = "mom.rms_norm"(%55, %56) {eps = 1.0e-6} : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<16xf32, ["value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %58 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [32, 24], first_row = 0} : () -> tensor<2x16x24xf32, ["head", "value", "model"]>
  %59 = "mom.linear"(%7, %58) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x16x24xf32, ["head", "value", "model"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %60 = "mom.silu"(%59) : (tensor<?x2x16xf32, ["T", "head", "value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %61 = "mom.mul"(%57, %60) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<?x2x16xf32, ["T", "head", "value"]>) -> tensor<?x2x16xf32, ["T", "head", "value"]>
  %62 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 32], first_row = 0} : () -> tensor<24x2x16xf32, ["model", "head", "value"]>
  %63 = "mom.linear"(%61, %62) : (tensor<?x2x16xf32, ["T", "head", "value"]>, tensor<24x2x16xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %64 = "mom.add"(%5, %63) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %65 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %66 = "mom.rms_norm"(%64, %65) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %67 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %68 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %69 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 8], first_row = 0} : () -> tensor<24x8xf32, ["model", "hidden"]>
  %70 = "mom.linear"(%66, %67) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %71 = "mom.silu"(%70) : (tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %72 = "mom.linear"(%66, %68) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %73 = "mom.mul"(%71, %72) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %74 = "mom.linear"(%73, %69) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<24x8xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %75 = "mom.add"(%64, %74) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %76 = "mom.select_rows"(%75, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %77 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %78 = "mom.rms_norm"(%76, %77) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %79 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %80 = "mom.linear"(%78, %79) : (tensor<?x24xf32, ["L", "model"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x29xf32, ["L", "vocab"]>
  "mom.output"(%80) {name = "logits"} : (tensor<?x29xf32, ["L", "vocab"]>) -> ()
}
