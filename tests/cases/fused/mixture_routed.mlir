// The router and the sort of its choices in one launch.
//! meaning: mixture.mlir
module @mixture {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<8xf32, ["key"]>, %k: tensor<8xf32, ["key"]>, %v: tensor<8xf32, ["value"]>, %beta: tensor<f32>, %g: tensor<f32>, %h: tensor<8x8xf32, ["key", "value"]>):
    %0 = "mom.exp"(%g) : (tensor<f32>) -> tensor<f32>
    %1 = "mom.mul"(%0, %h) : (tensor<f32>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %2 = "mom.contract"(%1, %k) : (tensor<8x8xf32, ["key", "value"]>, tensor<8xf32, ["key"]>) -> tensor<8xf32, ["value"]>
    %3 = "mom.sub"(%v, %2) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %4 = "mom.mul"(%k, %3) : (tensor<8xf32, ["key"]>, tensor<8xf32, ["value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %5 = "mom.mul"(%beta, %4) : (tensor<f32>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %6 = "mom.add"(%1, %5) : (tensor<8x8xf32, ["key", "value"]>, tensor<8x8xf32, ["key", "value"]>) -> tensor<8x8xf32, ["key", "value"]>
    %7 = "mom.constant"() {value = 0.3535533905932738} : () -> tensor<f32>
    %8 = "mom.contract"(%6, %q) : (tensor<8x8xf32, ["key", "value"]>, tensor<8xf32, ["key"]>) -> tensor<8xf32, ["value"]>
    %9 = "mom.mul"(%7, %8) : (tensor<f32>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    "gpu.yield"(%6, %9) : (tensor<8x8xf32, ["key", "value"]>, tensor<8xf32, ["value"]>) -> ()
  }) {sym_name = "gated_delta_rule", inputs = ["q", "k", "v", "beta", "g"], states = ["h"], outputs = ["o"], at_most = ["", "", "", "", "0.0"]} : () -> ()
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.input"() {name = "rows"} : () -> tensor<?xi32, ["L"]>
  %4 = "mom.param"() {name = "model.embeddings.weight", tensor = "model.embeddings.weight", shape = [37, 24], first_row = 0} : () -> tensor<37x24xf32, ["vocab", "model"]>
  %5 = "mom.embedding"(%0, %4) : (tensor<?xi32, ["T"]>, tensor<37x24xf32, ["vocab", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %6 = "mom.param"() {name = "model.layers.0.attn_norm.weight", tensor = "model.layers.0.attn_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %7 = "mom.rms_norm"(%5, %6) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %8 = "mom.param"() {name = "model.layers.0.attn.gate.weight", tensor = "model.layers.0.attn.gate.weight", shape = [4, 24], first_row = 0} : () -> tensor<4x24xf32, ["memory", "model"]>
  %9 = "mom.linear"(%7, %8) : (tensor<?x24xf32, ["T", "model"]>, tensor<4x24xf32, ["memory", "model"]>) -> tensor<?x4xf32, ["T", "memory"]>
  "mom.output"(%9) {name = "router_logits.0"} : (tensor<?x4xf32, ["T", "memory"]>) -> ()
  %10, %11, %12, %13 = "mom.fused"(%9, %1, %2) ({
  ^bb0(%a0: tensor<?x4xf32, ["T", "memory"]>, %a1: tensor<?xi32, ["T"]>, %a2: tensor<?xi32, ["B+1"]>):
    %b0, %b1 = "mom.router"(%a0) {top_k = 2} : (tensor<?x4xf32, ["T", "memory"]>) -> (tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>)
    %b2, %b3, %b4 = "mom.sort"(%b0, %a1, %a2) {memories = 4} : (tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["4B+1"]>)
    "gpu.yield"(%b1, %b2, %b3, %b4) : (tensor<?x2xf32, ["T", "choice"]>, tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["4B+1"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x4xf32, ["T", "memory"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?x2xf32, ["T", "choice"]>, tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["4B+1"]>)
  %14 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %15 = "mom.linear"(%7, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %16 = "mom.dispatch"(%15, %11, %13) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["4B+1"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %17 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %18 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %19, %20 = "mom.short_conv"(%16, %18, %17, %13) : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["4B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
  "mom.set_state"(%20) {name = "layers.0.conv_q"} : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  %21 = "mom.silu"(%19) : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %22 = "mom.l2_norm"(%21) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %23 = "mom.dispatch"(%7, %11, %13) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["4B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
  %24 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %25 = "mom.param"() {name = "model.layers.0.attn.k_proj.1.weight", tensor = "model.layers.0.attn.k_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %26 = "mom.param"() {name = "model.layers.0.attn.k_proj.2.weight", tensor = "model.layers.0.attn.k_proj.2.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %27 = "mom.param"() {name = "model.layers.0.attn.k_proj.3.weight", tensor = "model.layers.0.attn.k_proj.3.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %28 = "mom.grouped_linear"(%23, %13, %24, %25, %26, %27) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["4B+1"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %29 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %30 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %31, %32 = "mom.short_conv"(%28, %30, %29, %13) : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["4B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
  "mom.set_state"(%32) {name = "layers.0.conv_k"} : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  %33 = "mom.silu"(%31) : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %34 = "mom.l2_norm"(%33) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %35 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %36 = "mom.param"() {name = "model.layers.0.attn.v_proj.1.weight", tensor = "model.layers.0.attn.v_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %37 = "mom.param"() {name = "model.layers.0.attn.v_proj.2.weight", tensor = "model.layers.0.attn.v_proj.2.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %38 = "mom.param"() {name = "model.layers.0.attn.v_proj.3.weight", tensor = "model.layers.0.attn.v_proj.3.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %39 = "mom.grouped_linear"(%23, %13, %35, %36, %37, %38) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["4B+1"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
  %40 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>
  %41 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "value", "tap"]>
  %42, %43 = "mom.short_conv"(%39, %41, %40, %13) : (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["4B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>)
  "mom.set_state"(%43) {name = "layers.0.conv_v"} : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  %44 = "mom.silu"(%42) : (tensor<?x2x8xf32, ["2T", "head", "value"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
  %45 = "mom.param"() {name = "model.layers.0.attn.b_proj.0.weight", tensor = "model.layers.0.attn.b_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %46 = "mom.param"() {name = "model.layers.0.attn.b_proj.1.weight", tensor = "model.layers.0.attn.b_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %47 = "mom.param"() {name = "model.layers.0.attn.b_proj.2.weight", tensor = "model.layers.0.attn.b_proj.2.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %48 = "mom.param"() {name = "model.layers.0.attn.b_proj.3.weight", tensor = "model.layers.0.attn.b_proj.3.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %49 = "mom.grouped_linear"(%23, %13, %45, %46, %47, %48) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["4B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %50 = "mom.sigmoid"(%49) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %51 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %52 = "mom.exp"(%51) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
  %53 = "mom.neg"(%52) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
  %54 = "mom.param"() {name = "model.layers.0.attn.a_proj.0.weight", tensor = "model.layers.0.attn.a_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %55 = "mom.param"() {name = "model.layers.0.attn.a_proj.1.weight", tensor = "model.layers.0.attn.a_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %56 = "mom.param"() {name = "model.layers.0.attn.a_proj.2.weight", tensor = "model.layers.0.attn.a_proj.2.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %57 = "mom.param"() {name = "model.layers.0.attn.a_proj.3.weight", tensor = "model.layers.0.attn.a_proj.3.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %58 = "mom.grouped_linear"(%23, %13, %54, %55, %56, %57) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["4B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %59 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %60 = "mom.add"(%58, %59) : (tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %61 = "mom.softplus"(%60) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %62 = "mom.mul"(%53, %61) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %63 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>
  %64, %65 = "mom.scan"(%22, %34, %44, %50, %62, %63, %13) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["4B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>)
  "mom.set_state"(%65) {name = "layers.0.memory"} : (tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  %66 = "mom.combine"(%64, %12, %10) : (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %67 = "mom.state"() {name = "layers.0.shared_conv_q"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>
  %68, %69 = "mom.short_conv"(%15, %18, %67, %2, %1) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>)
  "mom.set_state"(%69) {name = "layers.0.shared_conv_q"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> ()
  %70 = "mom.silu"(%68) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %71 = "mom.l2_norm"(%70) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %72 = "mom.param"() {name = "model.layers.0.attn.shared_k.weight", tensor = "model.layers.0.attn.shared_k.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %73 = "mom.linear"(%7, %72) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %74 = "mom.state"() {name = "layers.0.shared_conv_k"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>
  %75, %76 = "mom.short_conv"(%73, %30, %74, %2, %1) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>)
  "mom.set_state"(%76) {name = "layers.0.shared_conv_k"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> ()
  %77 = "mom.silu"(%75) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %78 = "mom.l2_norm"(%77) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %79 = "mom.param"() {name = "model.layers.0.attn.shared_v.weight", tensor = "model.layers.0.attn.shared_v.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %80 = "mom.linear"(%7, %79) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %81 = "mom.state"() {name = "layers.0.shared_conv_v"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>
  %82, %83 = "mom.short_conv"(%80, %41, %81, %2, %1) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>)
  "mom.set_state"(%83) {name = "layers.0.shared_conv_v"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>) -> ()
  %84 = "mom.silu"(%82) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %85 = "mom.param"() {name = "model.layers.0.attn.shared_b.weight", tensor = "model.layers.0.attn.shared_b.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %86 = "mom.linear"(%7, %85) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["T", "head"]>
  %87 = "mom.sigmoid"(%86) : (tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
  %88 = "mom.exp"(%51) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
  %89 = "mom.neg"(%88) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
  %90 = "mom.param"() {name = "model.layers.0.attn.shared_a.weight", tensor = "model.layers.0.attn.shared_a.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %91 = "mom.linear"(%7, %90) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["T", "head"]>
  %92 = "mom.add"(%91, %59) : (tensor<?x2xf32, ["T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["T", "head"]>
  %93 = "mom.softplus"(%92) : (tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
  %94 = "mom.mul"(%89, %93) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
  %95 = "mom.state"() {name = "layers.0.shared_memory"} : () -> tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>
  %96, %97 = "mom.scan"(%71, %78, %84, %87, %94, %95, %2, %1) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2xf32, ["T", "head"]>, tensor<?x2xf32, ["T", "head"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>)
  "mom.set_state"(%97) {name = "layers.0.shared_memory"} : (tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>) -> ()
  %98 = "mom.add"(%66, %96) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %99 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [8], first_row = 0} : () -> tensor<8xf32, ["value"]>
  %100 = "mom.rms_norm"(%98, %99) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<8xf32, ["value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %101 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %102 = "mom.linear"(%7, %101) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %103 = "mom.silu"(%102) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %104 = "mom.mul"(%100, %103) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %105 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 16], first_row = 0} : () -> tensor<24x2x8xf32, ["model", "head", "value"]>
  %106 = "mom.linear"(%104, %105) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<24x2x8xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %107 = "mom.add"(%5, %106) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %108 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %109 = "mom.rms_norm"(%107, %108) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %110 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [20, 24], first_row = 0} : () -> tensor<20x24xf32, ["hidden", "model"]>
  %111 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [20, 24], first_row = 0} : () -> tensor<20x24xf32, ["hidden", "model"]>
  %112 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 20], first_row = 0} : () -> tensor<24x20xf32, ["model", "hidden"]>
  %113 = "mom.linear"(%109, %110) : (tensor<?x24xf32, ["T", "model"]>, tensor<20x24xf32, ["hidden", "model"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %114 = "mom.silu"(%113) : (tensor<?x20xf32, ["T", "hidden"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %115 = "mom.linear"(%109, %111) : (tensor<?x24xf32, ["T", "model"]>, tensor<20x24xf32, ["hidden", "model"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %116 = "mom.mul"(%114, %115) : (tensor<?x20xf32, ["T", "hidden"]>, tensor<?x20xf32, ["T", "hidden"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %117 = "mom.linear"(%116, %112) : (tensor<?x20xf32, ["T", "hidden"]>, tensor<24x20xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %118 = "mom.add"(%107, %117) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %119 = "mom.select_rows"(%118, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %120 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %121 = "mom.rms_norm"(%119, %120) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %122 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [37, 24], first_row = 0} : () -> tensor<37x24xf32, ["vocab", "model"]>
  %123 = "mom.linear"(%121, %122) : (tensor<?x24xf32, ["L", "model"]>, tensor<37x24xf32, ["vocab", "model"]>) -> tensor<?x37xf32, ["L", "vocab"]>
  "mom.output"(%123) {name = "logits"} : (tensor<?x37xf32, ["L", "vocab"]>) -> ()
}
