// Memories mixed by their weights, then read once: what the paper says a mixture of memories is. No kernel stores the
// states of each row, so the memories are read first.
module @mixed_memories {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<4xf32, ["key"]>, %k: tensor<4xf32, ["key"]>, %v: tensor<3xf32, ["value"]>, %g: tensor<f32>, %h: tensor<4x3xf32, ["key", "value"]>):
    %0 = "mom.exp"(%g) : (tensor<f32>) -> tensor<f32>
    %1 = "mom.mul"(%0, %h) : (tensor<f32>, tensor<4x3xf32, ["key", "value"]>) -> tensor<4x3xf32, ["key", "value"]>
    %2 = "mom.mul"(%k, %v) : (tensor<4xf32, ["key"]>, tensor<3xf32, ["value"]>) -> tensor<4x3xf32, ["key", "value"]>
    %3 = "mom.add"(%1, %2) : (tensor<4x3xf32, ["key", "value"]>, tensor<4x3xf32, ["key", "value"]>) -> tensor<4x3xf32, ["key", "value"]>
    %4 = "mom.constant"() {value = 0.5} : () -> tensor<f32>
    %5 = "mom.contract"(%3, %q) : (tensor<4x3xf32, ["key", "value"]>, tensor<4xf32, ["key"]>) -> tensor<3xf32, ["value"]>
    %6 = "mom.mul"(%4, %5) : (tensor<f32>, tensor<3xf32, ["value"]>) -> tensor<3xf32, ["value"]>
    "gpu.yield"(%3, %6) : (tensor<4x3xf32, ["key", "value"]>, tensor<3xf32, ["value"]>) -> ()
  }) {sym_name = "simple_gla", inputs = ["q", "k", "v", "g"], states = ["h"], outputs = ["o"], at_most = ["", "", "", "0.0"]} : () -> ()
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.param"() {name = "table", tensor = "table", shape = [7, 6], first_row = 0} : () -> tensor<7x6xf32, ["vocab", "model"]>
  %2 = "mom.embedding"(%0, %1) : (tensor<?xi32, ["T"]>, tensor<7x6xf32, ["vocab", "model"]>) -> tensor<?x6xf32, ["T", "model"]>
  %3 = "mom.param"() {name = "gate", tensor = "gate", shape = [3, 6], first_row = 0} : () -> tensor<3x6xf32, ["memory", "model"]>
  %4 = "mom.linear"(%2, %3) : (tensor<?x6xf32, ["T", "model"]>, tensor<3x6xf32, ["memory", "model"]>) -> tensor<?x3xf32, ["T", "memory"]>
  %5, %6 = "mom.router"(%4) {top_k = 2} : (tensor<?x3xf32, ["T", "memory"]>) -> (tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>)
  %7 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %8 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %9, %10, %11 = "mom.sort"(%5, %7, %8) {memories = 3} : (tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["3B+1"]>)
  %12 = "mom.dispatch"(%2, %9, %11) : (tensor<?x6xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x6xf32, ["2T", "model"]>
  %13 = "mom.param"() {name = "q_proj", tensor = "q_proj", shape = [8, 6], first_row = 0} : () -> tensor<2x4x6xf32, ["head", "key", "model"]>
  %14 = "mom.linear"(%2, %13) : (tensor<?x6xf32, ["T", "model"]>, tensor<2x4x6xf32, ["head", "key", "model"]>) -> tensor<?x2x4xf32, ["T", "head", "key"]>
  %15 = "mom.dispatch"(%14, %9, %11) : (tensor<?x2x4xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x2x4xf32, ["2T", "head", "key"]>
  %16 = "mom.linear"(%2, %13) : (tensor<?x6xf32, ["T", "model"]>, tensor<2x4x6xf32, ["head", "key", "model"]>) -> tensor<?x2x4xf32, ["T", "head", "key"]>
  %17 = "mom.param"() {name = "own.k.0", tensor = "own.k.0", shape = [8, 6], first_row = 0} : () -> tensor<2x4x6xf32, ["head", "key", "model"]>
  %18 = "mom.param"() {name = "own.k.1", tensor = "own.k.1", shape = [8, 6], first_row = 0} : () -> tensor<2x4x6xf32, ["head", "key", "model"]>
  %19 = "mom.param"() {name = "own.k.2", tensor = "own.k.2", shape = [8, 6], first_row = 0} : () -> tensor<2x4x6xf32, ["head", "key", "model"]>
  %20 = "mom.grouped_linear"(%12, %11, %17, %18, %19) : (tensor<?x6xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x4x6xf32, ["head", "key", "model"]>, tensor<2x4x6xf32, ["head", "key", "model"]>, tensor<2x4x6xf32, ["head", "key", "model"]>) -> tensor<?x2x4xf32, ["2T", "head", "key"]>
  %21 = "mom.param"() {name = "own.v.0", tensor = "own.v.0", shape = [6, 6], first_row = 0} : () -> tensor<2x3x6xf32, ["head", "value", "model"]>
  %22 = "mom.param"() {name = "own.v.1", tensor = "own.v.1", shape = [6, 6], first_row = 0} : () -> tensor<2x3x6xf32, ["head", "value", "model"]>
  %23 = "mom.param"() {name = "own.v.2", tensor = "own.v.2", shape = [6, 6], first_row = 0} : () -> tensor<2x3x6xf32, ["head", "value", "model"]>
  %24 = "mom.grouped_linear"(%12, %11, %21, %22, %23) : (tensor<?x6xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x3x6xf32, ["head", "value", "model"]>, tensor<2x3x6xf32, ["head", "value", "model"]>, tensor<2x3x6xf32, ["head", "value", "model"]>) -> tensor<?x2x3xf32, ["2T", "head", "value"]>
  %25 = "mom.param"() {name = "own.g.0", tensor = "own.g.0", shape = [2, 6], first_row = 0} : () -> tensor<2x6xf32, ["head", "model"]>
  %26 = "mom.param"() {name = "own.g.1", tensor = "own.g.1", shape = [2, 6], first_row = 0} : () -> tensor<2x6xf32, ["head", "model"]>
  %27 = "mom.param"() {name = "own.g.2", tensor = "own.g.2", shape = [2, 6], first_row = 0} : () -> tensor<2x6xf32, ["head", "model"]>
  %28 = "mom.grouped_linear"(%12, %11, %25, %26, %27) : (tensor<?x6xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x6xf32, ["head", "model"]>, tensor<2x6xf32, ["head", "model"]>, tensor<2x6xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %29 = "mom.softplus"(%28) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %30 = "mom.neg"(%29) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %31 = "mom.state"() {name = "h"} : () -> tensor<?x3x2x4x3xf32, ["B", "memory", "head", "key", "value"]>
  %32, %33 = "mom.scan"(%15, %20, %24, %30, %31, %11) {update_rule = @simple_gla, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x4xf32, ["2T", "head", "key"]>, tensor<?x2x4xf32, ["2T", "head", "key"]>, tensor<?x2x3xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x3x2x4x3xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["3B+1"]>) -> (tensor<?x2x3xf32, ["2T", "head", "value"]>, tensor<?x3x2x4x3xf32, ["B", "memory", "head", "key", "value"]>)
  "mom.set_state"(%33) {name = "h"} : (tensor<?x3x2x4x3xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  %34 = "mom.scan_states"(%20, %24, %30, %31, %11) {update_rule = @simple_gla, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x4xf32, ["2T", "head", "key"]>, tensor<?x2x3xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x3x2x4x3xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x2x4x3xf32, ["2T", "head", "key", "value"]>
  %35 = "mom.combine"(%34, %10, %6) : (tensor<?x2x4x3xf32, ["2T", "head", "key", "value"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2x4x3xf32, ["T", "head", "key", "value"]>
  %36 = "mom.read_states"(%16, %35) {update_rule = @simple_gla, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x4xf32, ["T", "head", "key"]>, tensor<?x2x4x3xf32, ["T", "head", "key", "value"]>) -> tensor<?x2x3xf32, ["T", "head", "value"]>
  "mom.output"(%36) {name = "y.0"} : (tensor<?x2x3xf32, ["T", "head", "value"]>) -> ()
}
