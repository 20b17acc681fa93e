// llama.cpp's CPU operator for Gated DeltaNet as a peer of `momc bench`: prints `ready`, then for every line it reads
// times calls for 30 ms and prints the mean seconds of one.
//
//   ggml_gated_delta_net HEADS WIDTH TOKENS THREADS
//
// update_rules.sh builds it.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "ggml.h"

using Clock = std::chrono::steady_clock;

static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Fills a tensor with vectors of length 1.
static void fill_unit(ggml_tensor *tensor, int width, std::mt19937 &random) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    float *data = static_cast<float *>(tensor->data);
    for (int64_t row = 0; row < ggml_nelements(tensor) / width; row++) {
        double length = 1e-6;
        for (int i = 0; i < width; i++) {
            float x = data[row * width + i] = uniform(random);
            length += x * x;
        }
        for (int i = 0; i < width; i++) data[row * width + i] /= std::sqrt(length);
    }
}

static void fill(ggml_tensor *tensor, float low, float high, std::mt19937 &random) {
    std::uniform_real_distribution<float> uniform(low, high);
    float *data = static_cast<float *>(tensor->data);
    for (int64_t i = 0; i < ggml_nelements(tensor); i++) data[i] = uniform(random);
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    const int heads = std::atoi(argv[1]), width = std::atoi(argv[2]), tokens = std::atoi(argv[3]);
    ggml_backend_t backend = ggml_backend_cpu_init();
    ggml_backend_cpu_set_n_threads(backend, std::atoi(argv[4]));
    ggml_context *context = ggml_init({ggml_tensor_overhead() * 64 + ggml_graph_overhead(), nullptr, true});
    auto tensor = [&](int a, int b, int c) { return ggml_new_tensor_4d(context, GGML_TYPE_F32, a, b, c, 1); };
    ggml_tensor *q = tensor(width, heads, tokens), *k = tensor(width, heads, tokens), *v = tensor(width, heads, tokens);
    ggml_tensor *g = tensor(1, heads, tokens), *beta = tensor(1, heads, tokens), *state = tensor(width, width, heads);
    ggml_cgraph *graph = ggml_new_graph(context);
    ggml_build_forward_expand(graph, ggml_gated_delta_net(context, q, k, v, g, beta, state, 1));
    ggml_backend_alloc_ctx_tensors(context, backend);
    std::mt19937 random(1);
    for (ggml_tensor *vectors : {q, k, v}) fill_unit(vectors, width, random);
    fill(g, -0.1f, 0, random);
    fill(beta, 0, 1, random);
    fill(state, -0.02f, 0.02f, random);

    ggml_backend_graph_compute(backend, graph);
    std::puts("ready");
    std::fflush(stdout);
    for (int c; (c = std::getchar()) != EOF;) {
        if (c != '\n') continue;
        const auto start = Clock::now();
        long calls = 0;
        do ggml_backend_graph_compute(backend, graph);
        while (++calls, seconds_since(start) < 0.03);
        std::printf("%.9g\n", seconds_since(start) / calls);
        std::fflush(stdout);
    }
}
