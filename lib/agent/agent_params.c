/* agent_params.c: options of agents and of feature maps; the manual is generated from these tables. */
#include "agent/agent_params.h"

static const ctw_base__option agent_options[] = {
    CTW_OPT_STR("form", "tabular", "tabular|linear", "How values are held: a table of states, or linear in features."),
    CTW_OPT_I64("states", 1, 1, 1 << 26, "Tabular: number of states."),
    CTW_OPT_I64("features", 0, 0, 1 << 26, "Linear: number of features; 0 when a feature map will be set."),
    CTW_OPT_I64("actions", 2, 1, 256, "Number of actions."),
    CTW_OPT_STR("algo", "q", "q|sarsa|expected-sarsa|double-q|true-online|tree-backup",
                "Update: Q-learning (Watkins' Q(lambda)), Sarsa(lambda), expected Sarsa(0), double Q(0), true-online "
                "Sarsa(lambda), or the tree backup over `steps`."),
    CTW_OPT_STR("traces", "replacing", "replacing|accumulating", "Kind of eligibility trace of q and sarsa."),
    CTW_OPT_STR("policy", "epsilon-greedy", "epsilon-greedy|softmax", "How an action is explored."),
    CTW_OPT_F64("alpha", 0.1, 0.0, 10.0, "Step size, as a share of the temporal difference."),
    CTW_OPT_F64("alpha_decay", 0.0, 0.0, 1e6, "Step size in episode k (from 0) is alpha / (1 + alpha_decay * k)."),
    CTW_OPT_BOOL("normalise", 1, "Divide the step size by the squared length of the features."),
    CTW_OPT_F64("gamma", 0.95, 0.0, 1.0, "Discount of a step."),
    CTW_OPT_F64("lambda", 0.0, 0.0, 1.0, "Decay of the traces."),
    CTW_OPT_I64("steps", 1, 1, 64,
                "Sarsa, expected Sarsa, tree backup: rewards a return holds before it relies on values (lambda 0)."),
    CTW_OPT_F64(
        "average", 0.0, 0.0, 1.0,
        "Step size of the mean reward, for tasks that go on: rewards count as what they exceed it by (gamma 1); "
        "0: discounted rewards."),
    CTW_OPT_F64("epsilon", 0.1, 0.0, 1.0, "Probability of a random action in episode 0."),
    CTW_OPT_F64("epsilon_min", 0.0, 0.0, 1.0, "Floor of that probability."),
    CTW_OPT_F64("epsilon_decay", 1.0, 0.0, 1.0, "Factor on that probability after each episode."),
    CTW_OPT_F64("temperature", 1.0, 1e-6, 1e6, "Softmax: values are divided by it."),
    CTW_OPT_STR("ties", "first", "first|random", "Which of several best actions is taken."),
    CTW_OPT_F64("initial", 0.0, -1e6, 1e6,
                "Value of every action before anything is learnt; above the truth it explores."),
    CTW_OPT_F64("value_limit", 1e8, 1.0, 1e12,
                "Largest magnitude of rewards, values and weights; beyond is divergence."),
    CTW_OPT_I64("stream", 0, 0, INT64_MAX, "Random stream under the context's seed."),
};
const ctw_base__kind ctw_agent__kind = {"agent", agent_options, sizeof agent_options / sizeof *agent_options};

static const ctw_base__option dual_options[] = {
    CTW_OPT_F64("limit", 0.0, -1e9, 1e9, "Largest mean cost of a step."),
    CTW_OPT_F64("step", 0.01, 0.0, 1e6, "Change of the multiplier per unit of cost beyond the limit, once a window."),
    CTW_OPT_F64("max", 1e3, 0.0, 1e9, "Largest multiplier."),
    CTW_OPT_F64("initial", 0.0, 0.0, 1e9, "Multiplier at the start."),
    CTW_OPT_I64("window", 100, 1, 1000000000, "Steps whose mean cost moves the multiplier once."),
};
const ctw_base__kind ctw_dual__kind = {"dual", dual_options, sizeof dual_options / sizeof *dual_options};

static const ctw_base__option policy_options[] = {
    CTW_OPT_STR("form", "tabular", "tabular|linear", "How states are given: by number, or by features."),
    CTW_OPT_I64("states", 1, 1, 1 << 26, "Tabular: number of states."),
    CTW_OPT_I64("features", 0, 0, 1 << 26, "Linear: number of features; 0 when a feature map will be set."),
    CTW_OPT_STR("policy", "softmax", "softmax|gaussian", "Discrete actions, or real ones; see ctw_policy."),
    CTW_OPT_I64("actions", 2, 1, 256, "Softmax: number of actions."),
    CTW_OPT_I64("real_dims", 1, 1, 64, "Gaussian: number of reals in an action."),
    CTW_OPT_STR("algo", "actor-critic", "actor-critic|natural|natural-batch|ppo", "How it learns; see ctw_policy."),
    CTW_OPT_F64("alpha", 0.05, 0.0, 100.0, "Step size of the actor; natural-batch: largest natural step."),
    CTW_OPT_F64("alpha_critic", 0.1, 0.0, 10.0, "Step size of the critic, and of natural's advantage."),
    CTW_OPT_F64("alpha_decay", 0.0, 0.0, 1e6, "Step sizes in episode k (from 0) are divided by 1 + alpha_decay * k."),
    CTW_OPT_BOOL("normalise", 1,
                 "Divide step sizes by the squared length of the features (not: adam, the actor of natural forms)."),
    CTW_OPT_F64("gamma", 0.99, 0.0, 1.0, "Discount of a step."),
    CTW_OPT_F64("lambda", 0.0, 0.0, 1.0, "Decay of the traces (actor-critic) or of GAE (batch forms)."),
    CTW_OPT_F64(
        "average", 0.0, 0.0, 1.0,
        "Step size of the mean reward, for tasks that go on: rewards count as what they exceed it by (gamma 1); "
        "0: discounted rewards."),
    CTW_OPT_F64("entropy", 0.0, 0.0, 1e3, "Weight of the policy's entropy in the objective."),
    CTW_OPT_I64("batch", 2048, 1, 1 << 24, "Batch forms: steps an update is made from."),
    CTW_OPT_I64("epochs", 10, 1, 1000, "Batch forms: passes over the batch (natural-batch: of the critic)."),
    CTW_OPT_I64("minibatch", 64, 1, 1 << 24, "Batch forms: steps whose mean gradient is one step of the optimiser."),
    CTW_OPT_F64("clip", 0.2, 0.0, 10.0, "Ppo: ratios of probabilities gain nothing beyond 1 +- clip."),
    CTW_OPT_F64("kl", 0.02, 0.0, 1e6,
                "Ppo: passes stop when the mean divergence from the batch's policy exceeds it; natural-batch: the step "
                "is no longer than that by the quadratic model; 0: no limit."),
    CTW_OPT_BOOL("standardise", 1, "Batch forms: advantages are shifted and scaled to mean 0, deviation 1."),
    CTW_OPT_STR("optimiser", "adam", "adam|sgd",
                "Batch forms: how minibatch gradients become steps (Kingma and Ba 2015)."),
    CTW_OPT_F64("ridge", 1e-3, 0.0, 1e6, "Natural-batch: added to the Fisher matrix's diagonal."),
    CTW_OPT_I64("solve_rounds", 30, 1, 100000, "Natural-batch: most rounds of conjugate gradients."),
    CTW_OPT_F64("sd", 1.0, 1e-6, 1e6, "Gaussian: standard deviation at the start."),
    CTW_OPT_F64("sd_min", 1e-2, 1e-6, 1e6, "Gaussian: least standard deviation."),
    CTW_OPT_F64("sd_max", 1e2, 1e-6, 1e6, "Gaussian: largest standard deviation."),
    CTW_OPT_F64("value_limit", 1e8, 1.0, 1e12,
                "Largest magnitude of rewards, values and weights; beyond is divergence."),
    CTW_OPT_I64("stream", 0, 0, INT64_MAX, "Random stream under the context's seed."),
};
const ctw_base__kind ctw_policy__kind = {"policy", policy_options, sizeof policy_options / sizeof *policy_options};

static const ctw_base__option features_options[] = {
    CTW_OPT_STR("form", "tiles", "tiles|hashed|cross|fourier|rbf|poly|raw", "The map; see ctw_features."),
    CTW_OPT_I64("dims", 1, 1, 64, "Length of an observation."),
    CTW_OPT_I64("tilings", 8, 1, 64, "Tiles, hashed: number of grids."),
    CTW_OPT_I64("bins", 8, 1, 4096, "Cells of a dimension whose number set_ranges does not give."),
    CTW_OPT_I64("size", 65536, 1, 1 << 26, "Hashed: number of weights."),
    CTW_OPT_I64("order", 3, 1, 64, "Fourier: largest coefficient; poly: largest total degree."),
    CTW_OPT_I64("ranked", 0, 0, 64, "So many of the first values are put in decreasing order before the map; 0: none."),
    CTW_OPT_I64("rank_blocks", 1, 1, 64, "Blocks of `ranked` values that are put in the first block's order."),
    CTW_OPT_F64("width", 1.0, 1e-3, 1e3, "Rbf: standard deviation in steps of the centres' grid."),
};
const ctw_base__kind ctw_features__kind = {"features", features_options,
                                           sizeof features_options / sizeof *features_options};

static const ctw_base__option bandit_options[] = {
    CTW_OPT_STR("policy", "linucb", "linucb|thompson|epsilon-greedy|ucb1", "How an arm is chosen; see ctw_bandit."),
    CTW_OPT_I64("arms", 2, 1, 256, "Number of arms."),
    CTW_OPT_I64("dims", 1, 1, 64, "Length of a context."),
    CTW_OPT_F64("width", 0.3, 0.0, 1e6, "Factor on the confidence width (linucb, thompson, ucb1), in rewards."),
    CTW_OPT_F64("ridge", 1.0, 1e-9, 1e9, "Ridge of the regressions."),
    CTW_OPT_F64("epsilon", 0.05, 0.0, 1.0, "Epsilon-greedy: probability of a random arm."),
    CTW_OPT_F64("discount", 1.0, 0.5, 1.0, "Weight left to a past reward per round; 1 never forgets."),
    CTW_OPT_F64("forget_at", 0.0, 0.0, 1e6, "CUSUM level of squared residuals at which all is forgotten; 0: never."),
    CTW_OPT_I64("stream", 0, 0, INT64_MAX, "Random stream under the context's seed."),
};
const ctw_base__kind ctw_bandit__kind = {"bandit", bandit_options, sizeof bandit_options / sizeof *bandit_options};

static const ctw_base__option ope_options[] = {
    CTW_OPT_STR("estimator", "pdis", "is|pdis|wis|dr", "How a return is estimated; see ctw_ope."),
    CTW_OPT_F64("gamma", 1.0, 0.0, 1.0, "Discount of a step."),
    CTW_OPT_F64("reward_lo", 0.0, -1e9, 1e9, "Smallest reward of a step."),
    CTW_OPT_F64("reward_hi", 1.0, -1e9, 1e9, "Largest reward of a step."),
    CTW_OPT_F64("clip", 3.0, 1e-3, 1e6, "Is, pdis: estimates are cut at this many times the largest possible return."),
    CTW_OPT_F64("ratio_max", 0.0, 0.0, 1e6,
                "Dr: largest product of ratios target / behaviour the two policies can give an episode; 0: not known."),
    CTW_OPT_I64("horizon", 1, 1, 100000, "Largest number of steps in an episode."),
};
const ctw_base__kind ctw_ope__kind = {"ope", ope_options, sizeof ope_options / sizeof *ope_options};

static const ctw_base__option prior_options[] = {
    CTW_OPT_I64("dims", 1, 1, 2048, "Number of weights of an application's model."),
    CTW_OPT_I64("components", 4, 0, 64, "Largest number of principal components."),
    CTW_OPT_F64("ridge", 1.0, 1e-9, 1e9, "Ridge of the fit of an application's rows."),
    CTW_OPT_F64("noise", 1.0, 1e-6, 1e9, "Standard deviation of a row's y (with x_next: of its temporal difference)."),
    CTW_OPT_F64("floor", 0.01, 0.0, 1.0,
                "Share of the applications' variance that every weight keeps beyond the components."),
};
const ctw_base__kind ctw_prior__kind = {"prior", prior_options, sizeof prior_options / sizeof *prior_options};
