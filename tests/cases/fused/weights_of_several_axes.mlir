// A weight is the matrix that its reader takes it for, whatever axes its tensor has: more than two, one, rows of other
// lengths; and one weight is two matrices, or the table of an embedding and of a product.
module @several_axes {
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.param"() {name = "embeddings", tensor = "embeddings", shape = [37, 2, 12], first_row = 0} : () -> tensor<37x2x12xf32, ["vocab", "head", "key"]>
  %4 = "mom.embedding"(%0, %3) : (tensor<?xi32, ["T"]>, tensor<37x2x12xf32, ["vocab", "head", "key"]>) -> tensor<?x2x12xf32, ["T", "head", "key"]>
  %5 = "mom.linear"(%4, %3) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<37x2x12xf32, ["vocab", "head", "key"]>) -> tensor<?x37xf32, ["T", "vocab"]>
  %6 = "mom.param"() {name = "several", tensor = "several", shape = [3, 5, 2, 12], first_row = 0} : () -> tensor<3x5x2x12xf32, ["row", "column", "head", "key"]>
  %7 = "mom.linear"(%4, %6) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<3x5x2x12xf32, ["row", "column", "head", "key"]>) -> tensor<?x3x5xf32, ["T", "row", "column"]>
  %8 = "mom.param"() {name = "whole", tensor = "whole", shape = [5, 2, 12], first_row = 0} : () -> tensor<5x2x12xf32, ["wide", "head", "key"]>
  %9 = "mom.linear"(%4, %8) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<5x2x12xf32, ["wide", "head", "key"]>) -> tensor<?x5xf32, ["T", "wide"]>
  %10 = "mom.param"() {name = "flat", tensor = "flat", shape = [120], first_row = 0} : () -> tensor<5x2x12xf32, ["wide", "head", "key"]>
  %11 = "mom.linear"(%4, %10) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<5x2x12xf32, ["wide", "head", "key"]>) -> tensor<?x5xf32, ["T", "wide"]>
  %12 = "mom.param"() {name = "stacked.3", tensor = "stacked", shape = [40, 6], first_row = 3} : () -> tensor<5x2x12xf32, ["wide", "head", "key"]>
  %13 = "mom.linear"(%4, %12) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<5x2x12xf32, ["wide", "head", "key"]>) -> tensor<?x5xf32, ["T", "wide"]>
  %14 = "mom.param"() {name = "stacked.23", tensor = "stacked", shape = [40, 6], first_row = 23} : () -> tensor<2x12xf32, ["narrow", "key"]>
  %15 = "mom.linear"(%4, %14) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<2x12xf32, ["narrow", "key"]>) -> tensor<?x2x2xf32, ["T", "head", "narrow"]>
  %16 = "mom.param"() {name = "down", tensor = "down", shape = [12, 2, 12], first_row = 0} : () -> tensor<12x2x12xf32, ["model", "head", "key"]>
  %17 = "mom.linear"(%4, %16) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<12x2x12xf32, ["model", "head", "key"]>) -> tensor<?x12xf32, ["T", "model"]>
  %18 = "mom.param"() {name = "two_ways", tensor = "two_ways", shape = [64, 2, 12], first_row = 0} : () -> tensor<64x2x12xf32, ["out", "head", "key"]>
  %19 = "mom.linear"(%4, %18) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<64x2x12xf32, ["out", "head", "key"]>) -> tensor<?x64xf32, ["T", "out"]>
  %20 = "mom.param"() {name = "to_key", tensor = "to_key", shape = [12, 12], first_row = 0} : () -> tensor<12x12xf32, ["key", "model"]>
  %21 = "mom.linear"(%17, %20) : (tensor<?x12xf32, ["T", "model"]>, tensor<12x12xf32, ["key", "model"]>) -> tensor<?x12xf32, ["T", "key"]>
  %22 = "mom.linear"(%21, %18) : (tensor<?x12xf32, ["T", "key"]>, tensor<64x2x12xf32, ["out", "head", "key"]>) -> tensor<?x64x2xf32, ["T", "out", "head"]>
  %23 = "mom.param"() {name = "filter", tensor = "filter", shape = [2, 12, 4], first_row = 0} : () -> tensor<2x12x4xf32, ["head", "key", "tap"]>
  %24 = "mom.state"() {name = "window.filter"} : () -> tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>
  %25, %26 = "mom.short_conv"(%4, %23, %24, %2, %1) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<2x12x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>)
  "mom.set_state"(%26) {name = "window.filter"} : (tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>) -> ()
  %27 = "mom.param"() {name = "channels", tensor = "channels", shape = [24, 1, 4], first_row = 0} : () -> tensor<2x12x4xf32, ["head", "key", "tap"]>
  %28 = "mom.state"() {name = "window.channels"} : () -> tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>
  %29, %30 = "mom.short_conv"(%4, %27, %28, %2, %1) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<2x12x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>)
  "mom.set_state"(%30) {name = "window.channels"} : (tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>) -> ()
  %31 = "mom.param"() {name = "taps", tensor = "taps", shape = [96], first_row = 0} : () -> tensor<2x12x4xf32, ["head", "key", "tap"]>
  %32 = "mom.state"() {name = "window.taps"} : () -> tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>
  %33, %34 = "mom.short_conv"(%4, %31, %32, %2, %1) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<2x12x4xf32, ["head", "key", "tap"]>, tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>, tensor<?xi32, ["B+1"]>, tensor<?xi32, ["T"]>) -> (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>)
  "mom.set_state"(%34) {name = "window.taps"} : (tensor<?x4x2x12xf32, ["B", "tap", "head", "key"]>) -> ()
  %35 = "mom.param"() {name = "norm", tensor = "norm", shape = [24], first_row = 0} : () -> tensor<2x12xf32, ["head", "key"]>
  %36 = "mom.mul"(%4, %35) : (tensor<?x2x12xf32, ["T", "head", "key"]>, tensor<2x12xf32, ["head", "key"]>) -> tensor<?x2x12xf32, ["T", "head", "key"]>
  "mom.output"(%5) {name = "tied"} : (tensor<?x37xf32, ["T", "vocab"]>) -> ()
  "mom.output"(%7) {name = "several"} : (tensor<?x3x5xf32, ["T", "row", "column"]>) -> ()
  "mom.output"(%9) {name = "whole"} : (tensor<?x5xf32, ["T", "wide"]>) -> ()
  "mom.output"(%11) {name = "flat"} : (tensor<?x5xf32, ["T", "wide"]>) -> ()
  "mom.output"(%13) {name = "part"} : (tensor<?x5xf32, ["T", "wide"]>) -> ()
  "mom.output"(%15) {name = "of_entries"} : (tensor<?x2x2xf32, ["T", "head", "narrow"]>) -> ()
  "mom.output"(%19) {name = "two_by_one"} : (tensor<?x64xf32, ["T", "out"]>) -> ()
  "mom.output"(%22) {name = "one_by_two"} : (tensor<?x64x2xf32, ["T", "out", "head"]>) -> ()
  "mom.output"(%25) {name = "conv_filter"} : (tensor<?x2x12xf32, ["T", "head", "key"]>) -> ()
  "mom.output"(%29) {name = "conv_channels"} : (tensor<?x2x12xf32, ["T", "head", "key"]>) -> ()
  "mom.output"(%33) {name = "conv_taps"} : (tensor<?x2x12xf32, ["T", "head", "key"]>) -> ()
  "mom.output"(%36) {name = "scaled"} : (tensor<?x2x12xf32, ["T", "head", "key"]>) -> ()
}
