// One layer of a mixture of memories with a shared state, as the stage `mom` has it: what fused programs are held against.
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
  %10, %11 = "mom.router"(%9) {top_k = 2} : (tensor<?x4xf32, ["T", "memory"]>) -> (tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>)
  %12, %13, %14 = "mom.sort"(%10, %1, %2) {memories = 4} : (tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["4B+1"]>)
  %15 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %16 = "mom.linear"(%7, %15) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %17 = "mom.dispatch"(%16, %12, %14) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["4B+1"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %18 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %19 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %20, %21 = "mom.short_conv"(%17, %19, %18, %14) : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["4B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
  "mom.set_state"(%21) {name = "layers.0.conv_q"} : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  %22 = "mom.silu"(%20) : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %23 = "mom.l2_norm"(%22) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %24 = "mom.dispatch"(%7, %12, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["4B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
  %25 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %26 = "mom.param"() {name = "model.layers.0.attn.k_proj.1.weight", tensor = "model.layers.0.attn.k_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %27 = "mom.param"() {name = "model.layers.0.attn.k_proj.2.weight", tensor = "model.layers.0.attn.k_proj.2.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %28 = "mom.param"() {name = "model.layers.0.attn.k_proj.3.weight", tensor = "model.layers.0.attn.k_proj.3.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %29 = "mom.grouped_linear"(%24, %14, %25, %26, %27, %28) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["4B+1"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %30 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %31 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %32, %33 = "mom.short_conv"(%29, %31, %30, %14) : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["4B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
  "mom.set_state"(%33) {name = "layers.0.conv_k"} : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  %34 = "mom.silu"(%32) : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %35 = "mom.l2_norm"(%34) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %36 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %37 = "mom.param"() {name = "model.layers.0.attn.v_proj.1.weight", tensor = "model.layers.0.attn.v_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %38 = "mom.param"() {name = "model.layers.0.attn.v_proj.2.weight", tensor = "model.layers.0.attn.v_proj.2.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %39 = "mom.param"() {name = "model.layers.0.attn.v_proj.3.weight", tensor = "model.layers.0.attn.v_proj.3.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %40 = "mom.grouped_linear"(%24, %14, %36, %37, %38, %39) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["4B+1"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
  %41 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>
  %42 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "value", "tap"]>
  %43, %44 = "mom.short_conv"(%40, %42, %41, %14) : (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["4B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>)
  "mom.set_state"(%44) {name = "layers.0.conv_v"} : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  %45 = "mom.silu"(%43) : (tensor<?x2x8xf32, ["2T", "head", "value"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
  %46 = "mom.param"() {name = "model.layers.0.attn.b_proj.0.weight", tensor = "model.layers.0.attn.b_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %47 = "mom.param"() {name = "model.layers.0.attn.b_proj.1.weight", tensor = "model.layers.0.attn.b_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %48 = "mom.param"() {name = "model.layers.0.attn.b_proj.2.weight", tensor = "model.layers.0.attn.b_proj.2.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %49 = "mom.param"() {name = "model.layers.0.attn.b_proj.3.weight", tensor = "model.layers.0.attn.b_proj.3.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %50 = "mom.grouped_linear"(%24, %14, %46, %47, %48, %49) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["4B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %51 = "mom.sigmoid"(%50) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %52 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %53 = "mom.exp"(%52) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
  %54 = "mom.neg"(%53) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
  %55 = "mom.param"() {name = "model.layers.0.attn.a_proj.0.weight", tensor = "model.layers.0.attn.a_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %56 = "mom.param"() {name = "model.layers.0.attn.a_proj.1.weight", tensor = "model.layers.0.attn.a_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %57 = "mom.param"() {name = "model.layers.0.attn.a_proj.2.weight", tensor = "model.layers.0.attn.a_proj.2.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %58 = "mom.param"() {name = "model.layers.0.attn.a_proj.3.weight", tensor = "model.layers.0.attn.a_proj.3.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %59 = "mom.grouped_linear"(%24, %14, %55, %56, %57, %58) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["4B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %60 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %61 = "mom.add"(%59, %60) : (tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %62 = "mom.softplus"(%61) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %63 = "mom.mul"(%54, %62) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %64 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>
  %65, %66 = "mom.scan"(%23, %35, %45, %51, %63, %64, %14) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["4B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>)
  "mom.set_state"(%66) {name = "layers.0.memory"} : (tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  %67 = "mom.combine"(%65, %13, %11) : (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %68 = "mom.state"() {name = "layers.0.shared_conv_q"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>
  %69, %70 = "mom.short_conv"(%16, %19, %68, %2, %1) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>)
  "mom.set_state"(%70) {name = "layers.0.shared_conv_q"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> ()
  %71 = "mom.silu"(%69) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %72 = "mom.l2_norm"(%71) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %73 = "mom.param"() {name = "model.layers.0.attn.shared_k.weight", tensor = "model.layers.0.attn.shared_k.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %74 = "mom.linear"(%7, %73) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %75 = "mom.state"() {name = "layers.0.shared_conv_k"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>
  %76, %77 = "mom.short_conv"(%74, %31, %75, %2, %1) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>)
  "mom.set_state"(%77) {name = "layers.0.shared_conv_k"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> ()
  %78 = "mom.silu"(%76) : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %79 = "mom.l2_norm"(%78) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %80 = "mom.param"() {name = "model.layers.0.attn.shared_v.weight", tensor = "model.layers.0.attn.shared_v.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %81 = "mom.linear"(%7, %80) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %82 = "mom.state"() {name = "layers.0.shared_conv_v"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>
  %83, %84 = "mom.short_conv"(%81, %42, %82, %2, %1) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>)
  "mom.set_state"(%84) {name = "layers.0.shared_conv_v"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>) -> ()
  %85 = "mom.silu"(%83) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %86 = "mom.param"() {name = "model.layers.0.attn.shared_b.weight", tensor = "model.layers.0.attn.shared_b.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %87 = "mom.linear"(%7, %86) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["T", "head"]>
  %88 = "mom.sigmoid"(%87) : (tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
  %89 = "mom.exp"(%52) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
  %90 = "mom.neg"(%89) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
  %91 = "mom.param"() {name = "model.layers.0.attn.shared_a.weight", tensor = "model.layers.0.attn.shared_a.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %92 = "mom.linear"(%7, %91) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["T", "head"]>
  %93 = "mom.add"(%92, %60) : (tensor<?x2xf32, ["T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["T", "head"]>
  %94 = "mom.softplus"(%93) : (tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
  %95 = "mom.mul"(%90, %94) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["T", "head"]>) -> tensor<?x2xf32, ["T", "head"]>
  %96 = "mom.state"() {name = "layers.0.shared_memory"} : () -> tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>
  %97, %98 = "mom.scan"(%72, %79, %85, %88, %95, %96, %2, %1) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2xf32, ["T", "head"]>, tensor<?x2xf32, ["T", "head"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>)
  "mom.set_state"(%98) {name = "layers.0.shared_memory"} : (tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>) -> ()
  %99 = "mom.add"(%67, %97) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %100 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [8], first_row = 0} : () -> tensor<8xf32, ["value"]>
  %101 = "mom.rms_norm"(%99, %100) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<8xf32, ["value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %102 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %103 = "mom.linear"(%7, %102) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %104 = "mom.silu"(%103) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %105 = "mom.mul"(%101, %104) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %106 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 16], first_row = 0} : () -> tensor<24x2x8xf32, ["model", "head", "value"]>
  %107 = "mom.linear"(%105, %106) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<24x2x8xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %108 = "mom.add"(%5, %107) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %109 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %110 = "mom.rms_norm"(%108, %109) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %111 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [20, 24], first_row = 0} : () -> tensor<20x24xf32, ["hidden", "model"]>
  %112 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [20, 24], first_row = 0} : () -> tensor<20x24xf32, ["hidden", "model"]>
  %113 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 20], first_row = 0} : () -> tensor<24x20xf32, ["model", "hidden"]>
  %114 = "mom.linear"(%110, %111) : (tensor<?x24xf32, ["T", "model"]>, tensor<20x24xf32, ["hidden", "model"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %115 = "mom.silu"(%114) : (tensor<?x20xf32, ["T", "hidden"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %116 = "mom.linear"(%110, %112) : (tensor<?x24xf32, ["T", "model"]>, tensor<20x24xf32, ["hidden", "model"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %117 = "mom.mul"(%115, %116) : (tensor<?x20xf32, ["T", "hidden"]>, tensor<?x20xf32, ["T", "hidden"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %118 = "mom.linear"(%117, %113) : (tensor<?x20xf32, ["T", "hidden"]>, tensor<24x20xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %119 = "mom.add"(%108, %118) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %120 = "mom.select_rows"(%119, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %121 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %122 = "mom.rms_norm"(%120, %121) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %123 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [37, 24], first_row = 0} : () -> tensor<37x24xf32, ["vocab", "model"]>
  %124 = "mom.linear"(%122, %123) : (tensor<?x24xf32, ["L", "model"]>, tensor<37x24xf32, ["vocab", "model"]>) -> tensor<?x37xf32, ["L", "vocab"]>
  "mom.output"(%124) {name = "logits"} : (tensor<?x37xf32, ["L", "vocab"]>) -> ()
}
