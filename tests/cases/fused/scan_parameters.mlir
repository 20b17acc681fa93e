// Parameters, which no prologue makes, and states of two shapes, as tiles.
//! sequences: 33, 0, 5
//! pieces: 1 2 7
module @m {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<8xf32, ["value"]>, %k: tensor<8xf32, ["value"]>, %v: tensor<8xf32, ["value"]>, %eta: tensor<f32>, %w: tensor<8xf32, ["value"]>, %b: tensor<8xf32, ["value"]>, %h: tensor<8x8xf32, ["value", "value'"]>, %hb: tensor<8xf32, ["value"]>, %start_h: tensor<8x8xf32, ["value", "value'"]>, %start_hb: tensor<8xf32, ["value"]>, %sum_h: tensor<8x8xf32, ["value", "value'"]>, %sum_hb: tensor<8xf32, ["value"]>, %count: tensor<f32>):
    %0 = "mom.constant"() {value = 0.5} : () -> tensor<f32>
    %1 = "mom.less"(%0, %count) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %2 = "mom.mul"(%1, %start_h) : (tensor<f32>, tensor<8x8xf32, ["value", "value'"]>) -> tensor<8x8xf32, ["value", "value'"]>
    %3 = "mom.constant"() {value = 1.0} : () -> tensor<f32>
    %4 = "mom.sub"(%3, %1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %5 = "mom.mul"(%4, %h) : (tensor<f32>, tensor<8x8xf32, ["value", "value'"]>) -> tensor<8x8xf32, ["value", "value'"]>
    %6 = "mom.add"(%2, %5) : (tensor<8x8xf32, ["value", "value'"]>, tensor<8x8xf32, ["value", "value'"]>) -> tensor<8x8xf32, ["value", "value'"]>
    %7 = "mom.mul"(%1, %start_hb) : (tensor<f32>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %8 = "mom.constant"() {value = 1.0} : () -> tensor<f32>
    %9 = "mom.sub"(%8, %1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %10 = "mom.mul"(%9, %hb) : (tensor<f32>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %11 = "mom.add"(%7, %10) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %12 = "mom.contract"(%6, %k) : (tensor<8x8xf32, ["value", "value'"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value'"]>
    %13 = "mom.relabel"(%12) {from = ["value'"], to = ["value"]} : (tensor<8xf32, ["value'"]>) -> tensor<8xf32, ["value"]>
    %14 = "mom.add"(%13, %11) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %15 = "mom.sum"(%14) {axis = "value"} : (tensor<8xf32, ["value"]>) -> tensor<f32>
    %16 = "mom.constant"() {value = 8.0} : () -> tensor<f32>
    %17 = "mom.div"(%15, %16) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %18 = "mom.sub"(%14, %17) : (tensor<8xf32, ["value"]>, tensor<f32>) -> tensor<8xf32, ["value"]>
    %19 = "mom.mul"(%18, %18) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %20 = "mom.sum"(%19) {axis = "value"} : (tensor<8xf32, ["value"]>) -> tensor<f32>
    %21 = "mom.constant"() {value = 8.0} : () -> tensor<f32>
    %22 = "mom.div"(%20, %21) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %23 = "mom.constant"() {value = 1.0e-6} : () -> tensor<f32>
    %24 = "mom.add"(%22, %23) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %25 = "mom.sqrt"(%24) : (tensor<f32>) -> tensor<f32>
    %26 = "mom.div"(%18, %25) : (tensor<8xf32, ["value"]>, tensor<f32>) -> tensor<8xf32, ["value"]>
    %27 = "mom.mul"(%w, %26) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %28 = "mom.add"(%27, %b) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %29 = "mom.sub"(%v, %k) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %30 = "mom.sub"(%28, %29) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %31 = "mom.mul"(%30, %w) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %32 = "mom.sum"(%31) {axis = "value"} : (tensor<8xf32, ["value"]>) -> tensor<f32>
    %33 = "mom.constant"() {value = 8.0} : () -> tensor<f32>
    %34 = "mom.div"(%32, %33) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %35 = "mom.sub"(%31, %34) : (tensor<8xf32, ["value"]>, tensor<f32>) -> tensor<8xf32, ["value"]>
    %36 = "mom.mul"(%31, %26) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %37 = "mom.sum"(%36) {axis = "value"} : (tensor<8xf32, ["value"]>) -> tensor<f32>
    %38 = "mom.constant"() {value = 8.0} : () -> tensor<f32>
    %39 = "mom.div"(%37, %38) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %40 = "mom.mul"(%26, %39) : (tensor<8xf32, ["value"]>, tensor<f32>) -> tensor<8xf32, ["value"]>
    %41 = "mom.sub"(%35, %40) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %42 = "mom.div"(%41, %25) : (tensor<8xf32, ["value"]>, tensor<f32>) -> tensor<8xf32, ["value"]>
    %43 = "mom.mul"(%1, %sum_h) : (tensor<f32>, tensor<8x8xf32, ["value", "value'"]>) -> tensor<8x8xf32, ["value", "value'"]>
    %44 = "mom.relabel"(%42) {from = ["value"], to = ["value'"]} : (tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value'"]>
    %45 = "mom.mul"(%k, %44) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value'"]>) -> tensor<8x8xf32, ["value", "value'"]>
    %46 = "mom.add"(%43, %45) : (tensor<8x8xf32, ["value", "value'"]>, tensor<8x8xf32, ["value", "value'"]>) -> tensor<8x8xf32, ["value", "value'"]>
    %47 = "mom.mul"(%1, %sum_hb) : (tensor<f32>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %48 = "mom.add"(%47, %42) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %49 = "mom.constant"() {value = 1.0} : () -> tensor<f32>
    %50 = "mom.add"(%count, %49) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %51 = "mom.constant"() {value = 1.5} : () -> tensor<f32>
    %52 = "mom.add"(%count, %51) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %53 = "mom.constant"() {value = 16.0} : () -> tensor<f32>
    %54 = "mom.less"(%52, %53) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %55 = "mom.mul"(%50, %54) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %56 = "mom.mul"(%eta, %46) : (tensor<f32>, tensor<8x8xf32, ["value", "value'"]>) -> tensor<8x8xf32, ["value", "value'"]>
    %57 = "mom.sub"(%6, %56) : (tensor<8x8xf32, ["value", "value'"]>, tensor<8x8xf32, ["value", "value'"]>) -> tensor<8x8xf32, ["value", "value'"]>
    %58 = "mom.mul"(%eta, %48) : (tensor<f32>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %59 = "mom.sub"(%11, %58) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %60 = "mom.constant"() {value = 0.3535533905932738} : () -> tensor<f32>
    %61 = "mom.contract"(%57, %q) : (tensor<8x8xf32, ["value", "value'"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value'"]>
    %62 = "mom.relabel"(%61) {from = ["value'"], to = ["value"]} : (tensor<8xf32, ["value'"]>) -> tensor<8xf32, ["value"]>
    %63 = "mom.mul"(%60, %62) : (tensor<f32>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %64 = "mom.add"(%63, %59) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %65 = "mom.sum"(%64) {axis = "value"} : (tensor<8xf32, ["value"]>) -> tensor<f32>
    %66 = "mom.constant"() {value = 8.0} : () -> tensor<f32>
    %67 = "mom.div"(%65, %66) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %68 = "mom.sub"(%64, %67) : (tensor<8xf32, ["value"]>, tensor<f32>) -> tensor<8xf32, ["value"]>
    %69 = "mom.mul"(%w, %68) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %70 = "mom.mul"(%68, %68) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %71 = "mom.sum"(%70) {axis = "value"} : (tensor<8xf32, ["value"]>) -> tensor<f32>
    %72 = "mom.constant"() {value = 8.0} : () -> tensor<f32>
    %73 = "mom.div"(%71, %72) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %74 = "mom.constant"() {value = 1.0e-6} : () -> tensor<f32>
    %75 = "mom.add"(%73, %74) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %76 = "mom.sqrt"(%75) : (tensor<f32>) -> tensor<f32>
    %77 = "mom.div"(%69, %76) : (tensor<8xf32, ["value"]>, tensor<f32>) -> tensor<8xf32, ["value"]>
    %78 = "mom.add"(%64, %77) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    %79 = "mom.add"(%78, %b) : (tensor<8xf32, ["value"]>, tensor<8xf32, ["value"]>) -> tensor<8xf32, ["value"]>
    "gpu.yield"(%57, %59, %6, %11, %46, %48, %55, %79) : (tensor<8x8xf32, ["value", "value'"]>, tensor<8xf32, ["value"]>, tensor<8x8xf32, ["value", "value'"]>, tensor<8xf32, ["value"]>, tensor<8x8xf32, ["value", "value'"]>, tensor<8xf32, ["value"]>, tensor<f32>, tensor<8xf32, ["value"]>) -> ()
  }) {sym_name = "ttt_linear", inputs = ["q", "k", "v", "eta"], parameters = ["w", "b"], states = ["h", "hb", "start_h", "start_hb", "sum_h", "sum_hb", "count"], outputs = ["o"]} : () -> ()
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
  %15 = "mom.param"() {name = "model.layers.0.attn.q_proj.weight", tensor = "model.layers.0.attn.q_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %16 = "mom.linear"(%7, %15) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %18 = "mom.state"() {name = "layers.0.conv_q"} : () -> tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>
  %19 = "mom.param"() {name = "model.layers.0.attn.q_conv1d.weight", tensor = "model.layers.0.attn.q_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "value", "tap"]>
  %24 = "mom.dispatch"(%7, %12, %14) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
  %25 = "mom.param"() {name = "model.layers.0.attn.k_proj.0.weight", tensor = "model.layers.0.attn.k_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %26 = "mom.param"() {name = "model.layers.0.attn.k_proj.1.weight", tensor = "model.layers.0.attn.k_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %27 = "mom.grouped_linear"(%24, %14, %25, %26) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
  %28 = "mom.state"() {name = "layers.0.conv_k"} : () -> tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>
  %29 = "mom.param"() {name = "model.layers.0.attn.k_conv1d.weight", tensor = "model.layers.0.attn.k_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "value", "tap"]>
  %34 = "mom.param"() {name = "model.layers.0.attn.v_proj.0.weight", tensor = "model.layers.0.attn.v_proj.0.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %35 = "mom.param"() {name = "model.layers.0.attn.v_proj.1.weight", tensor = "model.layers.0.attn.v_proj.1.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %36 = "mom.grouped_linear"(%24, %14, %34, %35) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
  %37 = "mom.state"() {name = "layers.0.conv_v"} : () -> tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>
  %38 = "mom.param"() {name = "model.layers.0.attn.v_conv1d.weight", tensor = "model.layers.0.attn.v_conv1d.weight", shape = [16, 1, 4], first_row = 0} : () -> tensor<2x8x4xf32, ["head", "value", "tap"]>
  %43 = "mom.param"() {name = "model.layers.0.attn.eta_proj.0.weight", tensor = "model.layers.0.attn.eta_proj.0.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %44 = "mom.param"() {name = "model.layers.0.attn.eta_proj.1.weight", tensor = "model.layers.0.attn.eta_proj.1.weight", shape = [2, 24], first_row = 0} : () -> tensor<2x24xf32, ["head", "model"]>
  %45 = "mom.grouped_linear"(%24, %14, %43, %44) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?xi32, ["2B+1"]>, tensor<2x24xf32, ["head", "model"]>, tensor<2x24xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %46 = "mom.param"() {name = "model.layers.0.attn.eta_bias", tensor = "model.layers.0.attn.eta_bias", shape = [2], first_row = 0} : () -> tensor<2xf32, ["head"]>
  %50 = "mom.param"() {name = "model.layers.0.attn.ln_weight", tensor = "model.layers.0.attn.ln_weight", shape = [16], first_row = 0} : () -> tensor<2x8xf32, ["head", "value"]>
  %51 = "mom.param"() {name = "model.layers.0.attn.ln_bias", tensor = "model.layers.0.attn.ln_bias", shape = [16], first_row = 0} : () -> tensor<2x8xf32, ["head", "value"]>
  %52 = "mom.state"() {name = "layers.0.memory.h"} : () -> tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>
  %53 = "mom.state"() {name = "layers.0.memory.hb"} : () -> tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>
  %54 = "mom.state"() {name = "layers.0.memory.start_h"} : () -> tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>
  %55 = "mom.state"() {name = "layers.0.memory.start_hb"} : () -> tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>
  %56 = "mom.state"() {name = "layers.0.memory.sum_h"} : () -> tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>
  %57 = "mom.state"() {name = "layers.0.memory.sum_hb"} : () -> tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>
  %58 = "mom.state"() {name = "layers.0.memory.count"} : () -> tensor<?x2x2xf32, ["B", "memory", "head"]>
  %21, %31, %40, %59, %60, %61, %62, %63, %64, %65, %66 = "mom.fused"(%16, %12, %14, %19, %18, %27, %29, %28, %36, %38, %37, %45, %46, %50, %51, %52, %53, %54, %55, %56, %57, %58) ({
  ^bb0(%f1_16: tensor<?x2x8xf32, ["T", "head", "value"]>, %f1_12: tensor<?xi32, ["2T"]>, %f1_14: tensor<?xi32, ["2B+1"]>, %f1_19: tensor<2x8x4xf32, ["head", "value", "tap"]>, %f1_18: tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, %f1_27: tensor<?x2x8xf32, ["2T", "head", "value"]>, %f1_29: tensor<2x8x4xf32, ["head", "value", "tap"]>, %f1_28: tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, %f1_36: tensor<?x2x8xf32, ["2T", "head", "value"]>, %f1_38: tensor<2x8x4xf32, ["head", "value", "tap"]>, %f1_37: tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, %f1_45: tensor<?x2xf32, ["2T", "head"]>, %f1_46: tensor<2xf32, ["head"]>, %f1_50: tensor<2x8xf32, ["head", "value"]>, %f1_51: tensor<2x8xf32, ["head", "value"]>, %f1_52: tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, %f1_53: tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, %f1_54: tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, %f1_55: tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, %f1_56: tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, %f1_57: tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, %f1_58: tensor<?x2x2xf32, ["B", "memory", "head"]>):
    %f1_17 = "mom.dispatch"(%f1_16, %f1_12, %f1_14) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
    %f1_20, %f1_21 = "mom.short_conv"(%f1_17, %f1_19, %f1_18, %f1_14) : (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>)
    %f1_22 = "mom.silu"(%f1_20) : (tensor<?x2x8xf32, ["2T", "head", "value"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
    %f1_23 = "mom.l2_norm"(%f1_22) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["2T", "head", "value"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
    %f1_30, %f1_31 = "mom.short_conv"(%f1_27, %f1_29, %f1_28, %f1_14) : (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>)
    %f1_32 = "mom.silu"(%f1_30) : (tensor<?x2x8xf32, ["2T", "head", "value"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
    %f1_33 = "mom.l2_norm"(%f1_32) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["2T", "head", "value"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
    %f1_39, %f1_40 = "mom.short_conv"(%f1_36, %f1_38, %f1_37, %f1_14) : (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>)
    %f1_41 = "mom.silu"(%f1_39) : (tensor<?x2x8xf32, ["2T", "head", "value"]>) -> tensor<?x2x8xf32, ["2T", "head", "value"]>
    %f1_42 = "mom.constant"() {value = 0.125} : () -> tensor<f32>
    %f1_47 = "mom.add"(%f1_45, %f1_46) : (tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_48 = "mom.sigmoid"(%f1_47) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_49 = "mom.mul"(%f1_42, %f1_48) : (tensor<f32>, tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
    %f1_59, %f1_60, %f1_61, %f1_62, %f1_63, %f1_64, %f1_65, %f1_66 = "mom.scan"(%f1_23, %f1_33, %f1_41, %f1_49, %f1_50, %f1_51, %f1_52, %f1_53, %f1_54, %f1_55, %f1_56, %f1_57, %f1_58, %f1_14) {update_rule = @ttt_linear, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1>} : (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<2x8xf32, ["head", "value"]>, tensor<2x8xf32, ["head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2xf32, ["B", "memory", "head"]>, tensor<?xi32, ["2B+1"]>) -> (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2xf32, ["B", "memory", "head"]>)
    "gpu.yield"(%f1_21, %f1_31, %f1_40, %f1_59, %f1_60, %f1_61, %f1_62, %f1_63, %f1_64, %f1_65, %f1_66) : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2xf32, ["B", "memory", "head"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["2B+1"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<2x8x4xf32, ["head", "value", "tap"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<2xf32, ["head"]>, tensor<2x8xf32, ["head", "value"]>, tensor<2x8xf32, ["head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2xf32, ["B", "memory", "head"]>) -> (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>, tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>, tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>, tensor<?x2x2xf32, ["B", "memory", "head"]>)
  "mom.set_state"(%21) {name = "layers.0.conv_q"} : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%31) {name = "layers.0.conv_k"} : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%40) {name = "layers.0.conv_v"} : (tensor<?x2x4x2x8xf32, ["B", "memory", "tap", "head", "value"]>) -> ()
  "mom.set_state"(%60) {name = "layers.0.memory.h"} : (tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>) -> ()
  "mom.set_state"(%61) {name = "layers.0.memory.hb"} : (tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>) -> ()
  "mom.set_state"(%62) {name = "layers.0.memory.start_h"} : (tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>) -> ()
  "mom.set_state"(%63) {name = "layers.0.memory.start_hb"} : (tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>) -> ()
  "mom.set_state"(%64) {name = "layers.0.memory.sum_h"} : (tensor<?x2x2x8x8xf32, ["B", "memory", "head", "value", "value'"]>) -> ()
  "mom.set_state"(%65) {name = "layers.0.memory.sum_hb"} : (tensor<?x2x2x8xf32, ["B", "memory", "head", "value"]>) -> ()
  "mom.set_state"(%66) {name = "layers.0.memory.count"} : (tensor<?x2x2xf32, ["B", "memory", "head"]>) -> ()
  %67 = "mom.combine"(%59, %13, %11) : (tensor<?x2x8xf32, ["2T", "head", "value"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %68 = "mom.param"() {name = "model.layers.0.attn.o_norm", tensor = "model.layers.0.attn.o_norm.weight", shape = [8], first_row = 0} : () -> tensor<8xf32, ["value"]>
  %69 = "mom.rms_norm"(%67, %68) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<8xf32, ["value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %70 = "mom.param"() {name = "model.layers.0.attn.g_proj.weight", tensor = "model.layers.0.attn.g_proj.weight", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %71 = "mom.linear"(%7, %70) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %72 = "mom.silu"(%71) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %73 = "mom.mul"(%69, %72) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %74 = "mom.param"() {name = "model.layers.0.attn.o_proj.weight", tensor = "model.layers.0.attn.o_proj.weight", shape = [24, 16], first_row = 0} : () -> tensor<24x2x8xf32, ["model", "head", "value"]>
  %75 = "mom.linear"(%73, %74) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<24x2x8xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
  %76 = "mom.add"(%5, %75) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %77 = "mom.param"() {name = "model.layers.0.mlp_norm.weight", tensor = "model.layers.0.mlp_norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %78 = "mom.rms_norm"(%76, %77) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %79 = "mom.param"() {name = "model.layers.0.mlp.gate_proj.weight", tensor = "model.layers.0.mlp.gate_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %80 = "mom.param"() {name = "model.layers.0.mlp.up_proj.weight", tensor = "model.layers.0.mlp.up_proj.weight", shape = [8, 24], first_row = 0} : () -> tensor<8x24xf32, ["hidden", "model"]>
  %81 = "mom.param"() {name = "model.layers.0.mlp.down_proj.weight", tensor = "model.layers.0.mlp.down_proj.weight", shape = [24, 8], first_row = 0} : () -> tensor<24x8xf32, ["model", "hidden"]>
  %82 = "mom.linear"(%78, %79) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %83 = "mom.silu"(%82) : (tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %84 = "mom.linear"(%78, %80) : (tensor<?x24xf32, ["T", "model"]>, tensor<8x24xf32, ["hidden", "model"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %85 = "mom.mul"(%83, %84) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<?x8xf32, ["T", "hidden"]>) -> tensor<?x8xf32, ["T", "hidden"]>
  %86 = "mom.linear"(%85, %81) : (tensor<?x8xf32, ["T", "hidden"]>, tensor<24x8xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
  %87 = "mom.add"(%76, %86) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %88 = "mom.select_rows"(%87, %3) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
  %89 = "mom.param"() {name = "model.norm.weight", tensor = "model.norm.weight", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %90 = "mom.rms_norm"(%88, %89) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  %91 = "mom.param"() {name = "lm_head.weight", tensor = "lm_head.weight", shape = [29, 24], first_row = 0} : () -> tensor<29x24xf32, ["vocab", "model"]>
  %92 = "mom.linear"(%90, %91) : (tensor<?x24xf32, ["L", "model"]>, tensor<29x24xf32, ["vocab", "model"]>) -> tensor<?x29xf32, ["L", "vocab"]>
  "mom.output"(%92) {name = "logits"} : (tensor<?x29xf32, ["L", "vocab"]>) -> ()
}
