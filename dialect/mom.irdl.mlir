//! The dialect `mom` for MLIR: the operations of the `mom` stage with their operands, results and attributes.
//!
//! Any MLIR tool reads a printed program with this file beside it: `mlir-opt --irdl-file=mom.irdl.mlir program.mlir`.
//! A value is a ranked tensor whose encoding lists the names of its axes. IRDL can say that a type is this one, or the
//! same as another; it cannot relate single axes. Those relations are checked after parsing, by the verifier in Rust,
//! and `src/graph.rs` gives each operation's axes. A constraint that is named twice stands for equal types.

irdl.dialect @mom {
  // --- The program's edge.

  // What the host gives with a step: token ids, positions within sequences, sequence boundaries, rows to answer, and
  // f32 tensors of other names.
  irdl.operation @input {
    %name = irdl.base "#builtin.string"
    %type = irdl.base "!builtin.tensor"
    irdl.results(value: %type)
    irdl.attributes {"name" = %name}
  }

  // A weight: `shape` is that of the checkpoint's tensor, of which the weight takes rows from `first_row` on.
  irdl.operation @param {
    %type = irdl.base "!builtin.tensor"
    %name = irdl.base "#builtin.string"
    %tensor = irdl.base "#builtin.string"
    %shape = irdl.base "#builtin.array"
    %first_row = irdl.base "#builtin.integer"
    irdl.results(value: %type)
    irdl.attributes {"name" = %name, "tensor" = %tensor, "shape" = %shape, "first_row" = %first_row}
  }

  // A state of the step's sequences, before the step.
  irdl.operation @state {
    %type = irdl.base "!builtin.tensor"
    %name = irdl.base "#builtin.string"
    irdl.results(value: %type)
    irdl.attributes {"name" = %name}
  }

  // The state of that name, after the step.
  irdl.operation @set_state {
    %type = irdl.base "!builtin.tensor"
    %name = irdl.base "#builtin.string"
    irdl.operands(value: %type)
    irdl.attributes {"name" = %name}
  }

  // A result of the program.
  irdl.operation @output {
    %type = irdl.base "!builtin.tensor"
    %name = irdl.base "#builtin.string"
    irdl.operands(value: %type)
    irdl.attributes {"name" = %name}
  }

  // A number, the same everywhere.
  irdl.operation @constant {
    %type = irdl.is tensor<f32>
    %value = irdl.base "#builtin.float"
    irdl.results(value: %type)
    irdl.attributes {"value" = %value}
  }

  // --- Element by element; operands are broadcast to the union of their axes.

  // a + b
  irdl.operation @add {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, b: %b)
    irdl.results(y: %y)
  }

  // a - b
  irdl.operation @sub {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, b: %b)
    irdl.results(y: %y)
  }

  // a · b
  irdl.operation @mul {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, b: %b)
    irdl.results(y: %y)
  }

  // a / b
  irdl.operation @div {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, b: %b)
    irdl.results(y: %y)
  }

  // -x
  irdl.operation @neg {
    %x = irdl.base "!builtin.tensor"
    irdl.operands(x: %x)
    irdl.results(y: %x)
  }

  // The exponential of x.
  irdl.operation @exp {
    %x = irdl.base "!builtin.tensor"
    irdl.operands(x: %x)
    irdl.results(y: %x)
  }

  // 1 / (1 + exp(-x))
  irdl.operation @sigmoid {
    %x = irdl.base "!builtin.tensor"
    irdl.operands(x: %x)
    irdl.results(y: %x)
  }

  // x · sigmoid(x)
  irdl.operation @silu {
    %x = irdl.base "!builtin.tensor"
    irdl.operands(x: %x)
    irdl.results(y: %x)
  }

  // log(1 + exp(x))
  irdl.operation @softplus {
    %x = irdl.base "!builtin.tensor"
    irdl.operands(x: %x)
    irdl.results(y: %x)
  }

  // the square root
  irdl.operation @sqrt {
    %x = irdl.base "!builtin.tensor"
    irdl.operands(x: %x)
    irdl.results(y: %x)
  }

  // the natural logarithm
  irdl.operation @log {
    %x = irdl.base "!builtin.tensor"
    irdl.operands(x: %x)
    irdl.results(y: %x)
  }

  // the larger
  irdl.operation @max {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, b: %b)
    irdl.results(y: %y)
  }

  // the smaller
  irdl.operation @min {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, b: %b)
    irdl.results(y: %y)
  }

  // 1 where a < b, else 0
  irdl.operation @less {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, b: %b)
    irdl.results(y: %y)
  }

  // --- Row by row.

  // The table's row of each token.
  irdl.operation @embedding {
    %tokens = irdl.is tensor<?xi32, ["T"]>
    %table = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(tokens: %tokens, table: %table)
    irdl.results(y: %y)
  }

  // The rows of x whose logits are asked for.
  irdl.operation @select_rows {
    %x = irdl.base "!builtin.tensor"
    %rows = irdl.is tensor<?xi32, ["L"]>
    %y = irdl.base "!builtin.tensor"
    irdl.operands(x: %x, rows: %rows)
    irdl.results(y: %y)
  }

  // The sum of products over the named axes that x and weight share.
  irdl.operation @linear {
    %x = irdl.base "!builtin.tensor"
    %weight = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(x: %x, weight: %weight)
    irdl.results(y: %y)
  }

  // As linear, with several weights: x and the weights, to one result for each weight. Values of one type that follow
  // each other share a place; `operandSegmentSizes` and `resultSegmentSizes` say how many there are in each.
  irdl.operation @linears {
    %x0 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %x5 = irdl.base "!builtin.tensor"
    %x6 = irdl.base "!builtin.tensor"
    %x7 = irdl.base "!builtin.tensor"
    %x8 = irdl.base "!builtin.tensor"
    %x9 = irdl.base "!builtin.tensor"
    %x10 = irdl.base "!builtin.tensor"
    %x11 = irdl.base "!builtin.tensor"
    %x12 = irdl.base "!builtin.tensor"
    %x13 = irdl.base "!builtin.tensor"
    %x14 = irdl.base "!builtin.tensor"
    %x15 = irdl.base "!builtin.tensor"
    %y0 = irdl.base "!builtin.tensor"
    %y1 = irdl.base "!builtin.tensor"
    %y2 = irdl.base "!builtin.tensor"
    %y3 = irdl.base "!builtin.tensor"
    %y4 = irdl.base "!builtin.tensor"
    %y5 = irdl.base "!builtin.tensor"
    %y6 = irdl.base "!builtin.tensor"
    %y7 = irdl.base "!builtin.tensor"
    %y8 = irdl.base "!builtin.tensor"
    %y9 = irdl.base "!builtin.tensor"
    %y10 = irdl.base "!builtin.tensor"
    %y11 = irdl.base "!builtin.tensor"
    %y12 = irdl.base "!builtin.tensor"
    %y13 = irdl.base "!builtin.tensor"
    %y14 = irdl.base "!builtin.tensor"
    %y15 = irdl.base "!builtin.tensor"
    irdl.operands(
      x0: variadic %x0, x1: variadic %x1, x2: variadic %x2, x3: variadic %x3, x4: variadic %x4,
      x5: variadic %x5, x6: variadic %x6, x7: variadic %x7, x8: variadic %x8, x9: variadic %x9,
      x10: variadic %x10, x11: variadic %x11, x12: variadic %x12, x13: variadic %x13, x14: variadic %x14,
      x15: variadic %x15)
    irdl.results(
      y0: variadic %y0, y1: variadic %y1, y2: variadic %y2, y3: variadic %y3, y4: variadic %y4,
      y5: variadic %y5, y6: variadic %y6, y7: variadic %y7, y8: variadic %y8, y9: variadic %y9,
      y10: variadic %y10, y11: variadic %y11, y12: variadic %y12, y13: variadic %y13, y14: variadic %y14,
      y15: variadic %y15)
  }

  // x over its root mean square, times weight.
  irdl.operation @rms_norm {
    %x = irdl.base "!builtin.tensor"
    %weight = irdl.base "!builtin.tensor"
    %eps = irdl.base "#builtin.float"
    irdl.operands(x: %x, weight: %weight)
    irdl.results(y: %x)
    irdl.attributes {"eps" = %eps}
  }

  // x over its Euclidean norm, along the last axis.
  irdl.operation @l2_norm {
    %x = irdl.base "!builtin.tensor"
    %eps = irdl.base "#builtin.float"
    irdl.operands(x: %x)
    irdl.results(y: %x)
    irdl.attributes {"eps" = %eps}
  }

  // --- Memories: tokens choose them, rows are sorted by them, and each advances along its own segments.

  // The `top_k` memories each token chooses, largest probability first, and their renormalised weights.
  irdl.operation @router {
    %logits = irdl.base "!builtin.tensor"
    %selected = irdl.base "!builtin.tensor"
    %weight = irdl.base "!builtin.tensor"
    %top_k = irdl.base "#builtin.integer"
    irdl.operands(logits: %logits)
    irdl.results(selected: %selected, weight: %weight)
    irdl.attributes {"top_k" = %top_k}
  }

  // Counting sort of the choices into one segment per memory and sequence.
  irdl.operation @sort {
    %selected = irdl.base "!builtin.tensor"
    %position = irdl.is tensor<?xi32, ["T"]>
    %cu_seqlens = irdl.is tensor<?xi32, ["B+1"]>
    %permutation = irdl.base "!builtin.tensor"
    %segments = irdl.base "!builtin.tensor"
    %memories = irdl.base "#builtin.integer"
    irdl.operands(selected: %selected, position: %position, cu_seqlens: %cu_seqlens)
    irdl.results(permutation: %permutation, slot: %selected, segments: %segments)
    irdl.attributes {"memories" = %memories}
  }

  // The tokens' rows in the order of the segments.
  irdl.operation @dispatch {
    %x = irdl.base "!builtin.tensor"
    %permutation = irdl.base "!builtin.tensor"
    %segments = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(x: %x, permutation: %permutation, segments: %segments)
    irdl.results(y: %y)
  }

  // As linear, with the weight of the row's memory.
  irdl.operation @grouped_linear {
    %x = irdl.base "!builtin.tensor"
    %segments = irdl.base "!builtin.tensor"
    %weight = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(x: %x, segments: %segments, weights: variadic %weight)
    irdl.results(y: %y)
  }

  // As linears, with a weight for each memory: x, the segments, the weights of the first result, of the second and so on.
  irdl.operation @grouped_linears {
    %x0 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %x5 = irdl.base "!builtin.tensor"
    %x6 = irdl.base "!builtin.tensor"
    %x7 = irdl.base "!builtin.tensor"
    %x8 = irdl.base "!builtin.tensor"
    %x9 = irdl.base "!builtin.tensor"
    %x10 = irdl.base "!builtin.tensor"
    %x11 = irdl.base "!builtin.tensor"
    %x12 = irdl.base "!builtin.tensor"
    %x13 = irdl.base "!builtin.tensor"
    %x14 = irdl.base "!builtin.tensor"
    %x15 = irdl.base "!builtin.tensor"
    %y0 = irdl.base "!builtin.tensor"
    %y1 = irdl.base "!builtin.tensor"
    %y2 = irdl.base "!builtin.tensor"
    %y3 = irdl.base "!builtin.tensor"
    %y4 = irdl.base "!builtin.tensor"
    %y5 = irdl.base "!builtin.tensor"
    %y6 = irdl.base "!builtin.tensor"
    %y7 = irdl.base "!builtin.tensor"
    %y8 = irdl.base "!builtin.tensor"
    %y9 = irdl.base "!builtin.tensor"
    %y10 = irdl.base "!builtin.tensor"
    %y11 = irdl.base "!builtin.tensor"
    %y12 = irdl.base "!builtin.tensor"
    %y13 = irdl.base "!builtin.tensor"
    %y14 = irdl.base "!builtin.tensor"
    %y15 = irdl.base "!builtin.tensor"
    irdl.operands(
      x0: variadic %x0, x1: variadic %x1, x2: variadic %x2, x3: variadic %x3, x4: variadic %x4,
      x5: variadic %x5, x6: variadic %x6, x7: variadic %x7, x8: variadic %x8, x9: variadic %x9,
      x10: variadic %x10, x11: variadic %x11, x12: variadic %x12, x13: variadic %x13, x14: variadic %x14,
      x15: variadic %x15)
    irdl.results(
      y0: variadic %y0, y1: variadic %y1, y2: variadic %y2, y3: variadic %y3, y4: variadic %y4,
      y5: variadic %y5, y6: variadic %y6, y7: variadic %y7, y8: variadic %y8, y9: variadic %y9,
      y10: variadic %y10, y11: variadic %y11, y12: variadic %y12, y13: variadic %y13, y14: variadic %y14,
      y15: variadic %y15)
  }

  // Causal convolution along each segment; `window` holds the last inputs of each, before and after the step.
  irdl.operation @short_conv {
    %x = irdl.base "!builtin.tensor"
    %weight = irdl.base "!builtin.tensor"
    %window = irdl.base "!builtin.tensor"
    %segments = irdl.base "!builtin.tensor"
    %position = irdl.base "!builtin.tensor"
    irdl.operands(x: %x, weight: %weight, window: %window, segments: %segments, position: optional %position)
    irdl.results(y: %x, next_window: %window)
  }

  // An update rule along each segment: inputs, states, segments and perhaps positions, to outputs and next states.
  // IRDL wants the values of one variadic to have one type, so every place is an optional of its own, and the text
  // says with `operandSegmentSizes` and `resultSegmentSizes` how many are taken.
  irdl.operation @scan {
    %x0 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %x5 = irdl.base "!builtin.tensor"
    %x6 = irdl.base "!builtin.tensor"
    %x7 = irdl.base "!builtin.tensor"
    %x8 = irdl.base "!builtin.tensor"
    %x9 = irdl.base "!builtin.tensor"
    %x10 = irdl.base "!builtin.tensor"
    %x11 = irdl.base "!builtin.tensor"
    %x12 = irdl.base "!builtin.tensor"
    %x13 = irdl.base "!builtin.tensor"
    %x14 = irdl.base "!builtin.tensor"
    %x15 = irdl.base "!builtin.tensor"
    %x16 = irdl.base "!builtin.tensor"
    %x17 = irdl.base "!builtin.tensor"
    %x18 = irdl.base "!builtin.tensor"
    %x19 = irdl.base "!builtin.tensor"
    %x20 = irdl.base "!builtin.tensor"
    %x21 = irdl.base "!builtin.tensor"
    %x22 = irdl.base "!builtin.tensor"
    %x23 = irdl.base "!builtin.tensor"
    %y0 = irdl.base "!builtin.tensor"
    %y1 = irdl.base "!builtin.tensor"
    %y2 = irdl.base "!builtin.tensor"
    %y3 = irdl.base "!builtin.tensor"
    %y4 = irdl.base "!builtin.tensor"
    %y5 = irdl.base "!builtin.tensor"
    %y6 = irdl.base "!builtin.tensor"
    %y7 = irdl.base "!builtin.tensor"
    %update_rule = irdl.base "#builtin.symbol_ref"
    irdl.operands(
      x0: optional %x0, x1: optional %x1, x2: optional %x2, x3: optional %x3, x4: optional %x4,
      x5: optional %x5, x6: optional %x6, x7: optional %x7, x8: optional %x8, x9: optional %x9,
      x10: optional %x10, x11: optional %x11, x12: optional %x12, x13: optional %x13, x14: optional %x14,
      x15: optional %x15, x16: optional %x16, x17: optional %x17, x18: optional %x18, x19: optional %x19,
      x20: optional %x20, x21: optional %x21, x22: optional %x22, x23: optional %x23)
    irdl.results(
      y0: optional %y0, y1: optional %y1, y2: optional %y2, y3: optional %y3, y4: optional %y4,
      y5: optional %y5, y6: optional %y6, y7: optional %y7)
    irdl.attributes {"update_rule" = %update_rule}
  }

  // The adjoint of a scan: operands are the scan's inputs, parameters and states, the segments, the cotangents of its
  // outputs and of the states after it; results are the cotangents of its inputs, parameters and states.
  irdl.operation @scan_gradient {
    %x0 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %x5 = irdl.base "!builtin.tensor"
    %x6 = irdl.base "!builtin.tensor"
    %x7 = irdl.base "!builtin.tensor"
    %x8 = irdl.base "!builtin.tensor"
    %x9 = irdl.base "!builtin.tensor"
    %x10 = irdl.base "!builtin.tensor"
    %x11 = irdl.base "!builtin.tensor"
    %x12 = irdl.base "!builtin.tensor"
    %x13 = irdl.base "!builtin.tensor"
    %x14 = irdl.base "!builtin.tensor"
    %x15 = irdl.base "!builtin.tensor"
    %x16 = irdl.base "!builtin.tensor"
    %x17 = irdl.base "!builtin.tensor"
    %x18 = irdl.base "!builtin.tensor"
    %x19 = irdl.base "!builtin.tensor"
    %x20 = irdl.base "!builtin.tensor"
    %x21 = irdl.base "!builtin.tensor"
    %x22 = irdl.base "!builtin.tensor"
    %x23 = irdl.base "!builtin.tensor"
    %y0 = irdl.base "!builtin.tensor"
    %y1 = irdl.base "!builtin.tensor"
    %y2 = irdl.base "!builtin.tensor"
    %y3 = irdl.base "!builtin.tensor"
    %y4 = irdl.base "!builtin.tensor"
    %y5 = irdl.base "!builtin.tensor"
    %y6 = irdl.base "!builtin.tensor"
    %y7 = irdl.base "!builtin.tensor"
    %y8 = irdl.base "!builtin.tensor"
    %y9 = irdl.base "!builtin.tensor"
    %y10 = irdl.base "!builtin.tensor"
    %y11 = irdl.base "!builtin.tensor"
    %y12 = irdl.base "!builtin.tensor"
    %y13 = irdl.base "!builtin.tensor"
    %y14 = irdl.base "!builtin.tensor"
    %y15 = irdl.base "!builtin.tensor"
    %y16 = irdl.base "!builtin.tensor"
    %y17 = irdl.base "!builtin.tensor"
    %y18 = irdl.base "!builtin.tensor"
    %y19 = irdl.base "!builtin.tensor"
    %y20 = irdl.base "!builtin.tensor"
    %y21 = irdl.base "!builtin.tensor"
    %y22 = irdl.base "!builtin.tensor"
    %y23 = irdl.base "!builtin.tensor"
    %update_rule = irdl.base "#builtin.symbol_ref"
    irdl.operands(
      x0: optional %x0, x1: optional %x1, x2: optional %x2, x3: optional %x3, x4: optional %x4,
      x5: optional %x5, x6: optional %x6, x7: optional %x7, x8: optional %x8, x9: optional %x9,
      x10: optional %x10, x11: optional %x11, x12: optional %x12, x13: optional %x13, x14: optional %x14,
      x15: optional %x15, x16: optional %x16, x17: optional %x17, x18: optional %x18, x19: optional %x19,
      x20: optional %x20, x21: optional %x21, x22: optional %x22, x23: optional %x23)
    irdl.results(
      y0: optional %y0, y1: optional %y1, y2: optional %y2, y3: optional %y3, y4: optional %y4,
      y5: optional %y5, y6: optional %y6, y7: optional %y7, y8: optional %y8, y9: optional %y9,
      y10: optional %y10, y11: optional %y11, y12: optional %y12, y13: optional %y13, y14: optional %y14,
      y15: optional %y15, y16: optional %y16, y17: optional %y17, y18: optional %y18, y19: optional %y19,
      y20: optional %y20, y21: optional %y21, y22: optional %y22, y23: optional %y23)
    irdl.attributes {"update_rule" = %update_rule}
  }

  // The states that an update rule reads, for every row: operands are those of a scan without inputs and parameters that
  // advance no state.
  irdl.operation @scan_states {
    %x0 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %x5 = irdl.base "!builtin.tensor"
    %x6 = irdl.base "!builtin.tensor"
    %x7 = irdl.base "!builtin.tensor"
    %x8 = irdl.base "!builtin.tensor"
    %x9 = irdl.base "!builtin.tensor"
    %x10 = irdl.base "!builtin.tensor"
    %x11 = irdl.base "!builtin.tensor"
    %x12 = irdl.base "!builtin.tensor"
    %x13 = irdl.base "!builtin.tensor"
    %x14 = irdl.base "!builtin.tensor"
    %x15 = irdl.base "!builtin.tensor"
    %x16 = irdl.base "!builtin.tensor"
    %x17 = irdl.base "!builtin.tensor"
    %x18 = irdl.base "!builtin.tensor"
    %x19 = irdl.base "!builtin.tensor"
    %x20 = irdl.base "!builtin.tensor"
    %x21 = irdl.base "!builtin.tensor"
    %x22 = irdl.base "!builtin.tensor"
    %x23 = irdl.base "!builtin.tensor"
    %y0 = irdl.base "!builtin.tensor"
    %y1 = irdl.base "!builtin.tensor"
    %y2 = irdl.base "!builtin.tensor"
    %y3 = irdl.base "!builtin.tensor"
    %y4 = irdl.base "!builtin.tensor"
    %y5 = irdl.base "!builtin.tensor"
    %y6 = irdl.base "!builtin.tensor"
    %y7 = irdl.base "!builtin.tensor"
    %update_rule = irdl.base "#builtin.symbol_ref"
    irdl.operands(
      x0: optional %x0, x1: optional %x1, x2: optional %x2, x3: optional %x3, x4: optional %x4,
      x5: optional %x5, x6: optional %x6, x7: optional %x7, x8: optional %x8, x9: optional %x9,
      x10: optional %x10, x11: optional %x11, x12: optional %x12, x13: optional %x13, x14: optional %x14,
      x15: optional %x15, x16: optional %x16, x17: optional %x17, x18: optional %x18, x19: optional %x19,
      x20: optional %x20, x21: optional %x21, x22: optional %x22, x23: optional %x23)
    irdl.results(
      y0: optional %y0, y1: optional %y1, y2: optional %y2, y3: optional %y3, y4: optional %y4,
      y5: optional %y5, y6: optional %y6, y7: optional %y7)
    irdl.attributes {"update_rule" = %update_rule}
  }

  // What an update rule reads of given states: operands are the inputs and parameters that reading takes, then the states
  // of each row.
  irdl.operation @read_states {
    %x0 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %x5 = irdl.base "!builtin.tensor"
    %x6 = irdl.base "!builtin.tensor"
    %x7 = irdl.base "!builtin.tensor"
    %x8 = irdl.base "!builtin.tensor"
    %x9 = irdl.base "!builtin.tensor"
    %x10 = irdl.base "!builtin.tensor"
    %x11 = irdl.base "!builtin.tensor"
    %x12 = irdl.base "!builtin.tensor"
    %x13 = irdl.base "!builtin.tensor"
    %x14 = irdl.base "!builtin.tensor"
    %x15 = irdl.base "!builtin.tensor"
    %x16 = irdl.base "!builtin.tensor"
    %x17 = irdl.base "!builtin.tensor"
    %x18 = irdl.base "!builtin.tensor"
    %x19 = irdl.base "!builtin.tensor"
    %x20 = irdl.base "!builtin.tensor"
    %x21 = irdl.base "!builtin.tensor"
    %x22 = irdl.base "!builtin.tensor"
    %x23 = irdl.base "!builtin.tensor"
    %y0 = irdl.base "!builtin.tensor"
    %y1 = irdl.base "!builtin.tensor"
    %y2 = irdl.base "!builtin.tensor"
    %y3 = irdl.base "!builtin.tensor"
    %y4 = irdl.base "!builtin.tensor"
    %y5 = irdl.base "!builtin.tensor"
    %y6 = irdl.base "!builtin.tensor"
    %y7 = irdl.base "!builtin.tensor"
    %update_rule = irdl.base "#builtin.symbol_ref"
    irdl.operands(
      x0: optional %x0, x1: optional %x1, x2: optional %x2, x3: optional %x3, x4: optional %x4,
      x5: optional %x5, x6: optional %x6, x7: optional %x7, x8: optional %x8, x9: optional %x9,
      x10: optional %x10, x11: optional %x11, x12: optional %x12, x13: optional %x13, x14: optional %x14,
      x15: optional %x15, x16: optional %x16, x17: optional %x17, x18: optional %x18, x19: optional %x19,
      x20: optional %x20, x21: optional %x21, x22: optional %x22, x23: optional %x23)
    irdl.results(
      y0: optional %y0, y1: optional %y1, y2: optional %y2, y3: optional %y3, y4: optional %y4,
      y5: optional %y5, y6: optional %y6, y7: optional %y7)
    irdl.attributes {"update_rule" = %update_rule}
  }

  // Each token's rows added up with their weights; padding becomes zero.
  irdl.operation @combine {
    %x = irdl.base "!builtin.tensor"
    %slot = irdl.base "!builtin.tensor"
    %weight = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(x: %x, slot: %slot, weight: %weight)
    irdl.results(y: %y)
  }

  // --- Softmax attention.

  // Rotary embedding of the last axis by the token's position, halves rotated.
  irdl.operation @rotary {
    %x = irdl.base "!builtin.tensor"
    %position = irdl.base "!builtin.tensor"
    %base = irdl.base "#builtin.float"
    irdl.operands(x: %x, position: %position)
    irdl.results(y: %x)
    irdl.attributes {"base" = %base}
  }

  // The cache with the step's rows written at their positions.
  irdl.operation @append_cache {
    %x = irdl.base "!builtin.tensor"
    %cache = irdl.base "!builtin.tensor"
    %position = irdl.is tensor<?xi32, ["T"]>
    %cu_seqlens = irdl.is tensor<?xi32, ["B+1"]>
    irdl.operands(x: %x, cache: %cache, position: %position, cu_seqlens: %cu_seqlens)
    irdl.results(next_cache: %cache)
  }

  // Causal attention over the cache; a further integer attribute `window` bounds how many positions a token sees.
  irdl.operation @attention {
    %q = irdl.base "!builtin.tensor"
    %keys = irdl.base "!builtin.tensor"
    %values = irdl.base "!builtin.tensor"
    %position = irdl.is tensor<?xi32, ["T"]>
    %cu_seqlens = irdl.is tensor<?xi32, ["B+1"]>
    %scale = irdl.base "#builtin.float"
    irdl.operands(q: %q, keys: %keys, values: %values, position: %position, cu_seqlens: %cu_seqlens)
    irdl.results(y: %q)
    irdl.attributes {"scale" = %scale}
  }

  // --- What fusing makes.

  // Operations that one launch computes: a block from the operands to the results. Values take places as in linears.
  irdl.operation @fused {
    %x0 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %x5 = irdl.base "!builtin.tensor"
    %x6 = irdl.base "!builtin.tensor"
    %x7 = irdl.base "!builtin.tensor"
    %x8 = irdl.base "!builtin.tensor"
    %x9 = irdl.base "!builtin.tensor"
    %x10 = irdl.base "!builtin.tensor"
    %x11 = irdl.base "!builtin.tensor"
    %x12 = irdl.base "!builtin.tensor"
    %x13 = irdl.base "!builtin.tensor"
    %x14 = irdl.base "!builtin.tensor"
    %x15 = irdl.base "!builtin.tensor"
    %x16 = irdl.base "!builtin.tensor"
    %x17 = irdl.base "!builtin.tensor"
    %x18 = irdl.base "!builtin.tensor"
    %x19 = irdl.base "!builtin.tensor"
    %x20 = irdl.base "!builtin.tensor"
    %x21 = irdl.base "!builtin.tensor"
    %x22 = irdl.base "!builtin.tensor"
    %x23 = irdl.base "!builtin.tensor"
    %x24 = irdl.base "!builtin.tensor"
    %x25 = irdl.base "!builtin.tensor"
    %x26 = irdl.base "!builtin.tensor"
    %x27 = irdl.base "!builtin.tensor"
    %x28 = irdl.base "!builtin.tensor"
    %x29 = irdl.base "!builtin.tensor"
    %x30 = irdl.base "!builtin.tensor"
    %x31 = irdl.base "!builtin.tensor"
    %x32 = irdl.base "!builtin.tensor"
    %x33 = irdl.base "!builtin.tensor"
    %x34 = irdl.base "!builtin.tensor"
    %x35 = irdl.base "!builtin.tensor"
    %x36 = irdl.base "!builtin.tensor"
    %x37 = irdl.base "!builtin.tensor"
    %x38 = irdl.base "!builtin.tensor"
    %x39 = irdl.base "!builtin.tensor"
    %x40 = irdl.base "!builtin.tensor"
    %x41 = irdl.base "!builtin.tensor"
    %x42 = irdl.base "!builtin.tensor"
    %x43 = irdl.base "!builtin.tensor"
    %x44 = irdl.base "!builtin.tensor"
    %x45 = irdl.base "!builtin.tensor"
    %x46 = irdl.base "!builtin.tensor"
    %x47 = irdl.base "!builtin.tensor"
    %x48 = irdl.base "!builtin.tensor"
    %x49 = irdl.base "!builtin.tensor"
    %x50 = irdl.base "!builtin.tensor"
    %x51 = irdl.base "!builtin.tensor"
    %x52 = irdl.base "!builtin.tensor"
    %x53 = irdl.base "!builtin.tensor"
    %x54 = irdl.base "!builtin.tensor"
    %x55 = irdl.base "!builtin.tensor"
    %x56 = irdl.base "!builtin.tensor"
    %x57 = irdl.base "!builtin.tensor"
    %x58 = irdl.base "!builtin.tensor"
    %x59 = irdl.base "!builtin.tensor"
    %x60 = irdl.base "!builtin.tensor"
    %x61 = irdl.base "!builtin.tensor"
    %x62 = irdl.base "!builtin.tensor"
    %x63 = irdl.base "!builtin.tensor"
    %y0 = irdl.base "!builtin.tensor"
    %y1 = irdl.base "!builtin.tensor"
    %y2 = irdl.base "!builtin.tensor"
    %y3 = irdl.base "!builtin.tensor"
    %y4 = irdl.base "!builtin.tensor"
    %y5 = irdl.base "!builtin.tensor"
    %y6 = irdl.base "!builtin.tensor"
    %y7 = irdl.base "!builtin.tensor"
    %y8 = irdl.base "!builtin.tensor"
    %y9 = irdl.base "!builtin.tensor"
    %y10 = irdl.base "!builtin.tensor"
    %y11 = irdl.base "!builtin.tensor"
    %y12 = irdl.base "!builtin.tensor"
    %y13 = irdl.base "!builtin.tensor"
    %y14 = irdl.base "!builtin.tensor"
    %y15 = irdl.base "!builtin.tensor"
    %y16 = irdl.base "!builtin.tensor"
    %y17 = irdl.base "!builtin.tensor"
    %y18 = irdl.base "!builtin.tensor"
    %y19 = irdl.base "!builtin.tensor"
    %y20 = irdl.base "!builtin.tensor"
    %y21 = irdl.base "!builtin.tensor"
    %y22 = irdl.base "!builtin.tensor"
    %y23 = irdl.base "!builtin.tensor"
    %y24 = irdl.base "!builtin.tensor"
    %y25 = irdl.base "!builtin.tensor"
    %y26 = irdl.base "!builtin.tensor"
    %y27 = irdl.base "!builtin.tensor"
    %y28 = irdl.base "!builtin.tensor"
    %y29 = irdl.base "!builtin.tensor"
    %y30 = irdl.base "!builtin.tensor"
    %y31 = irdl.base "!builtin.tensor"
    %body = irdl.region with size 1
    irdl.operands(
      x0: variadic %x0, x1: variadic %x1, x2: variadic %x2, x3: variadic %x3, x4: variadic %x4,
      x5: variadic %x5, x6: variadic %x6, x7: variadic %x7, x8: variadic %x8, x9: variadic %x9,
      x10: variadic %x10, x11: variadic %x11, x12: variadic %x12, x13: variadic %x13, x14: variadic %x14,
      x15: variadic %x15, x16: variadic %x16, x17: variadic %x17, x18: variadic %x18, x19: variadic %x19,
      x20: variadic %x20, x21: variadic %x21, x22: variadic %x22, x23: variadic %x23, x24: variadic %x24,
      x25: variadic %x25, x26: variadic %x26, x27: variadic %x27, x28: variadic %x28, x29: variadic %x29,
      x30: variadic %x30, x31: variadic %x31, x32: variadic %x32, x33: variadic %x33, x34: variadic %x34,
      x35: variadic %x35, x36: variadic %x36, x37: variadic %x37, x38: variadic %x38, x39: variadic %x39,
      x40: variadic %x40, x41: variadic %x41, x42: variadic %x42, x43: variadic %x43, x44: variadic %x44,
      x45: variadic %x45, x46: variadic %x46, x47: variadic %x47, x48: variadic %x48, x49: variadic %x49,
      x50: variadic %x50, x51: variadic %x51, x52: variadic %x52, x53: variadic %x53, x54: variadic %x54,
      x55: variadic %x55, x56: variadic %x56, x57: variadic %x57, x58: variadic %x58, x59: variadic %x59,
      x60: variadic %x60, x61: variadic %x61, x62: variadic %x62, x63: variadic %x63)
    irdl.results(
      y0: variadic %y0, y1: variadic %y1, y2: variadic %y2, y3: variadic %y3, y4: variadic %y4,
      y5: variadic %y5, y6: variadic %y6, y7: variadic %y7, y8: variadic %y8, y9: variadic %y9,
      y10: variadic %y10, y11: variadic %y11, y12: variadic %y12, y13: variadic %y13, y14: variadic %y14,
      y15: variadic %y15, y16: variadic %y16, y17: variadic %y17, y18: variadic %y18, y19: variadic %y19,
      y20: variadic %y20, y21: variadic %y21, y22: variadic %y22, y23: variadic %y23, y24: variadic %y24,
      y25: variadic %y25, y26: variadic %y26, y27: variadic %y27, y28: variadic %y28, y29: variadic %y29,
      y30: variadic %y30, y31: variadic %y31)
    irdl.regions(body: %body)
  }

  // The states of some memories and of one more.
  irdl.operation @join_memories {
    %several = irdl.base "!builtin.tensor"
    %one = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(several: %several, one: %one)
    irdl.results(y: %y)
  }

  // The states of all memories but the last, and of the last.
  irdl.operation @split_memories {
    %x = irdl.base "!builtin.tensor"
    %several = irdl.base "!builtin.tensor"
    %one = irdl.base "!builtin.tensor"
    irdl.operands(x: %x)
    irdl.results(several: %several, one: %one)
  }

  // A routed stream with one more row for each token, in the places that the new slots give them.
  irdl.operation @append {
    %routed = irdl.base "!builtin.tensor"
    %slot = irdl.base "!builtin.tensor"
    %tokens = irdl.base "!builtin.tensor"
    %next_slot = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(routed: %routed, slot: %slot, tokens: %tokens, next_slot: %next_slot)
    irdl.results(y: %y)
  }

  // --- Update rules.

  // A recurrence for one head: a block from the inputs and states to the next states and the outputs, both yielded.
  irdl.operation @update_rule {
    %name = irdl.base "#builtin.string"
    %inputs = irdl.base "#builtin.array"
    %states = irdl.base "#builtin.array"
    %outputs = irdl.base "#builtin.array"
    %recurrence = irdl.region with size 1
    irdl.attributes {"sym_name" = %name, "inputs" = %inputs, "states" = %states, "outputs" = %outputs}
    irdl.regions(recurrence: %recurrence)
  }

  // The sum of the products of a and b over the axes they share; in update rules only.
  irdl.operation @contract {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, b: %b)
    irdl.results(y: %y)
  }

  // The sum over one axis.
  irdl.operation @sum {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.string"
    irdl.operands(x: %x)
    irdl.results(y: %y)
    irdl.attributes {"axis" = %axis}
  }

  // exp(x) / sum exp(x) over one axis.
  irdl.operation @softmax {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.string"
    irdl.operands(x: %x)
    irdl.results(y: %y)
    irdl.attributes {"axis" = %axis}
  }

  // The x with a x = b; the axis that a and b share counts the equations.
  irdl.operation @solve {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    irdl.operands(a: %a, b: %b)
    irdl.results(y: %y)
  }

  // One entry along an axis.
  irdl.operation @slice {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.string"
    %index = irdl.base "#builtin.integer"
    irdl.operands(x: %x)
    irdl.results(y: %y)
    irdl.attributes {"axis" = %axis, "index" = %index}
  }

  // Zeros but for x at one entry of a new last axis.
  irdl.operation @place {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %axis = irdl.base "#builtin.string"
    %size = irdl.base "#builtin.integer"
    %index = irdl.base "#builtin.integer"
    irdl.operands(x: %x)
    irdl.results(y: %y)
    irdl.attributes {"axis" = %axis, "size" = %size, "index" = %index}
  }

  // The same numbers under other names of axes.
  irdl.operation @relabel {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %from = irdl.base "#builtin.array"
    %to = irdl.base "#builtin.array"
    irdl.operands(x: %x)
    irdl.results(y: %y)
    irdl.attributes {"from" = %from, "to" = %to}
  }

  // The unit matrix over two axes of one size.
  irdl.operation @identity {
    %y = irdl.base "!builtin.tensor"
    %axes = irdl.base "#builtin.array"
    %size = irdl.base "#builtin.integer"
    irdl.results(y: %y)
    irdl.attributes {"axes" = %axes, "size" = %size}
  }

  // The number of the head, from 0.
  irdl.operation @head_index {
    %y = irdl.base "!builtin.tensor"
    irdl.results(y: %y)
  }
}
