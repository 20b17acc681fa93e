// The shared state is one more memory of the same scan: its states lie beside those that are routed to.
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
  %10, %11 = "mom.router"(%9) {top_k = 2, shared_state = true} : (tensor<?x4xf32, ["T", "memory"]>) -> (tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>)
  %12, %13, %14 = "mom.sort"(%10, %1, %2) {memories = 5} : (tensor<?x3xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["3T"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?xi32, ["5B+1"]>)
  %15 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %16 = "mom.linear"(%7, %15) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %17 = "mom.dispatch"(%16, %12, %14) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["3T"]>, tensor<?xi32, ["5B+1"]>) -> tensor<?x2x8xf32, ["3T", "head", "key"]>
  %18 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %19 = "mom.state"() {name = "layers.0.shared_conv_q"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>
  %20 = "mom.join_memories"(%18, %19) : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %21 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %22, %23 = "mom.short_conv"(%17, %21, %20, %14) : (tensor<?x2x8xf32, ["3T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["5B+1"]>) -> (tensor<?x2x8xf32, ["3T", "head", "key"]>, tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
  %24, %25 = "mom.split_memories"(%23) : (tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>)
  "mom.set_state"(%24) {name = "layers.0.conv_q"} : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%25) {name = "layers.0.shared_conv_q"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> ()
  %26 = "mom.silu"(%22) : (tensor<?x2x8xf32, ["3T", "head", "key"]>) -> tensor<?x2x8xf32, ["3T", "head", "key"]>
  %27 = "mom.l2_norm"(%26) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["3T", "head", "key"]>) -> tensor<?x2x8xf32, ["3T", "head", "key"]>
  %28 = "mom.dispatch"(%7, %12, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["3T"]>, tensor<?xi32, ["5B+1"]>) -> tensor<?x24xf32, ["3T", "model"]>
  %29 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %30 = "mom.param"() {name = "model.layers.0.attn.k_proj.1.weight", tensor = "model.layers.0.attn.k_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %31 = "mom.param"() {name = "model.layers.0.attn.k_proj.2.weight", tensor = "model.layers.0.attn.k_proj.2.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %32 = "mom.param"() {name = "model.layers.0.attn.k_proj.3.weight", tensor = "model.layers.0.attn.k_proj.3.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %33 = "mom.param"() {name = "model.layers.0.attn.shared_k.weight", tensor = "model.layers.0.attn.shared_k.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %34 = "mom.grouped_linear"(%28, %14, %29, %30, %31, %32, %33) : (tensor<?x24xf32, ["3T", "model"]>, tensor<?xi32, ["5B+1"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["3T", "head", "key"]>
  %35 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %36 = "mom.state"() {name = "layers.0.shared_conv_k"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>
  %37 = "mom.join_memories"(%35, %36) : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>
  %38 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "key", "tap"]>
  %39, %40 = "mom.short_conv"(%34, %38, %37, %14) : (tensor<?x2x8xf32, ["3T", "head", "key"]>, tensor<2x8x4xf32, ["head", "key", "tap"]>, tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?xi32, ["5B+1"]>) -> (tensor<?x2x8xf32, ["3T", "head", "key"]>, tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>)
  %41, %42 = "mom.split_memories"(%40) : (tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>)
  "mom.set_state"(%41) {name = "layers.0.conv_k"} : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "key"]>) -> ()
  "mom.set_state"(%42) {name = "layers.0.shared_conv_k"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "key"]>) -> ()
  %43 = "mom.silu"(%39) : (tensor<?x2x8xf32, ["3T", "head", "key"]>) -> tensor<?x2x8xf32, ["3T", "head", "key"]>
  %44 = "mom.l2_norm"(%43) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["3T", "head", "key"]>) -> tensor<?x2x8xf32, ["3T", "head", "key"]>
  %45 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %46 = "mom.param"() {name = "model.layers.0.attn.v_proj.1.weight", tensor = "model.layers.0.attn.v_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %47 = "mom.param"() {name = "model.layers.0.attn.v_proj.2.weight", tensor = "model.layers.0.attn.v_proj.2.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %48 = "mom.param"() {name = "model.layers.0.attn.v_proj.3.weight", tensor = "model.layers.0.attn.v_proj.3.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %49 = "mom.param"() {name = "model.layers.0.attn.shared_v.weight", tensor = "model.layers.0.attn.shared_v.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %50 = "mom.grouped_linear"(%28, %14, %45, %46, %47, %48, %49) : (tensor<?x24xf32, ["3T", "model"]>, tensor<?xi32, ["5B+1"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["3T", "head", "value"]>
  %51 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>
  %52 = "mom.state"() {name = "layers.0.shared_conv_v"} : () -> tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>
  %53 = "mom.join_memories"(%51, %52) : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>) -> tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>
  %54 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "value", "tap"]>
  %55, %56 = "mom.short_conv"(%50, %54, %53, %14) : (tensor<?x2x8xf32, ["3T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["5B+1"]>) -> (tensor<?x2x8xf32, ["3T", "head", "value"]>, tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>)
  %57, %58 = "mom.split_memories"(%56) : (tensor<?x5x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>) -> (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>)
  "mom.set_state"(%57) {name = "layers.0.conv_v"} : (tensor<?x4x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%58) {name = "layers.0.shared_conv_v"} : (tensor<?x4x2x8xf32, ["B", "tap", "head", "value"]>) -> ()
  %59 = "mom.silu"(%55) : (tensor<?x2x8xf32, ["3T", "head", "value"]>) -> tensor<?x2x8xf32, ["3T", "head", "value"]>
  %60 = "mom.param"() {name = "model.layers.0.attn.b_proj.0.weight", tensor = "model.layers.0.attn.b_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %61 = "mom.param"() {name = "model.layers.0.attn.b_proj.1.weight", tensor = "model.layers.0.attn.b_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %62 = "mom.param"() {name = "model.layers.0.attn.b_proj.2.weight", tensor = "model.layers.0.attn.b_proj.2.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %63 = "mom.param"() {name = "model.layers.0.attn.b_proj.3.weight", tensor = "model.layers.0.attn.b_proj.3.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %64 = "mom.param"() {name = "model.layers.0.attn.shared_b.weight", tensor = "model.layers.0.attn.shared_b.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %65 = "mom.grouped_linear"(%28, %14, %60, %61, %62, %63, %64) : (tensor<?x24xf32, ["3T", "model"]>, tensor<?xi32, ["5B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["3T", "head"]>
  %66 = "mom.sigmoid"(%65) : (tensor<?x2xf32, ["3T", "head"]>) -> tensor<?x2xf32, ["3T", "head"]>
  %67 = "mom.param"() {name = "model.layers.0.attn.A_log", tensor = "model.layers.0.attn.A_log", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %68 = "mom.exp"(%67) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
  %69 = "mom.neg"(%68) : (tensor<2xf32, ["head"]>) -> tensor<2xf32, ["head"]>
  %70 = "mom.param"() {name = "model.layers.0.attn.a_proj.0.weight", tensor = "model.layers.0.attn.a_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %71 = "mom.param"() {name = "model.layers.0.attn.a_proj.1.weight", tensor = "model.layers.0.attn.a_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %72 = "mom.param"() {name = "model.layers.0.attn.a_proj.2.weight", tensor = "model.layers.0.attn.a_proj.2.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %73 = "mom.param"() {name = "model.layers.0.attn.a_proj.3.weight", tensor = "model.layers.0.attn.a_proj.3.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %74 = "mom.param"() {name = "model.layers.0.attn.shared_a.weight", tensor = "model.layers.0.attn.shared_a.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %75 = "mom.grouped_linear"(%28, %14, %70, %71, %72, %73, %74) : (tensor<?x24xf32, ["3T", "model"]>, tensor<?xi32, ["5B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["3T", "head"]>
  %76 = "mom.param"() {name = "model.layers.0.attn.dt_bias", tensor = "model.layers.0.attn.dt_bias", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %77 = "mom.add"(%75, %76) : (tensor<?x2xf32, ["3T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["3T", "head"]>
  %78 = "mom.softplus"(%77) : (tensor<?x2xf32, ["3T", "head"]>) -> tensor<?x2xf32, ["3T", "head"]>
  %79 = "mom.mul"(%69, %78) : (tensor<2xf32, ["head"]>, tensor<?x2xf32, ["3T", "head"]>) -> tensor<?x2xf32, ["3T", "head"]>
  %80 = "mom.state"() {name = "layers.0.memory"} : () -> tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>
  %81 = "mom.state"() {name = "layers.0.shared_memory"} : () -> tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>
  %82 = "mom.join_memories"(%80, %81) : (tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>) -> tensor<?x5x2x8x8xf32, ["B", "memory", "head", "key", "value"]>
  %83, %84 = "mom.scan"(%27, %44, %59, %66, %79, %82, %14) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["3T", "head", "key"]>, tensor<?x2x8xf32, ["3T", "head", "key"]>, tensor<?x2x8xf32, ["3T", "head", "value"]>, tensor<?x2xf32, ["3T", "head"]>, tensor<?x2xf32, ["3T", "head"]>, tensor<?x5x2x8x8xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["5B+1"]>) -> (tensor<?x2x8xf32, ["3T", "head", "value"]>, tensor<?x5x2x8x8xf32, ["B", "memory", "head", "key", "value"]>)
  %85, %86 = "mom.split_memories"(%84) : (tensor<?x5x2x8x8xf32, ["B", "memory", "head", "key", "value"]>) -> (tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>, tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>)
  "mom.set_state"(%85) {name = "layers.0.memory"} : (tensor<?x4x2x8x8xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  "mom.set_state"(%86) {name = "layers.0.shared_memory"} : (tensor<?x2x8x8xf32, ["B", "head", "key", "value"]>) -> ()
  %87 = "mom.combine"(%83, %13, %11) : (tensor<?x2x8xf32, ["3T", "head", "value"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %88 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [8], first_row = 0} : () -> tensor<8xf32, ["value"]>
  %89 = "mom.rms_norm"(%87, %88) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<8xf32, ["value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %90 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %91 = "mom.linear"(%7, %90) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %92 = "mom.silu"(%91) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %93 = "mom.mul"(%89, %92) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %94 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 16], first_row = 0} : () -> tensor<24x2x8xf32, ["model", "head", "value"]>
  %95 = "mom.linear"(%93, %94) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<24x2x8xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %96 = "mom.add"(%5, %95) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %97 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %98 = "mom.rms_norm"(%96, %97) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %99 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [20, 24], first_row = 0} : () -> tensor<20x24xf32, ["hidden", "model"]>
  %100 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [20, 24], first_row = 0} : () -> tensor<20x24xf32, ["hidden", "model"]>
  %101 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 20], first_row = 0} : () -> tensor<24x20xf32, ["model", "hidden"]>
  %102 = "mom.linear"(%98, %99) : (tensor<?x24xf32, ["T", "model"]>, tensor<20x24xf32, ["hidden", "model"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %103 = "mom.silu"(%102) : (tensor<?x20xf32, ["T", "hidden"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %104 = "mom.linear"(%98, %100) : (tensor<?x24xf32, ["T", "model"]>, tensor<20x24xf32, ["hidden", "model"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %105 = "mom.mul"(%103, %104) : (tensor<?x20xf32, ["T", "hidden"]>, tensor<?x20xf32, ["T", "hidden"]>) -> tensor<?x20xf32, ["T", "hidden"]>
  %106 = "mom.linear"(%105, %101) : (tensor<?x20xf32, ["T", "hidden"]>, tensor<24x20xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %107 = "mom.add"(%96, %106) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %108 = "mom.select_rows"(%107, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %109 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %110 = "mom.rms_norm"(%108, %109) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %111 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [37, 24], first_row = 0} : () -> tensor<37x24xf32, ["vocab", "model"]>
  %112 = "mom.linear"(%110, %111) : (tensor<?x24xf32, ["L", "model"]>, tensor<37x24xf32, ["vocab", "model"]>) -> tensor<?x37xf32, ["L", "vocab"]>
  "mom.output"(%112) {name = "logits"} : (tensor<?x37xf32, ["L", "vocab"]>) -> ()
}
