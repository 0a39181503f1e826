/* agent_lesson.h: a service whose autoscaler an agent supervises (or whose replicas it moves, `direct`), as the tasks
 * aware and drift use it: observation, masks of the shield, episodes, and the rule beside it. */
#ifndef CTW_BENCH_AGENT_LESSON_H
#define CTW_BENCH_AGENT_LESSON_H

#include "agent_scaler.h"

enum { WINDOW = 240, FREE_FROM = 50 };
enum { TARGETS = 9, ACTIONS = 2 * TARGETS, DIRECT = SCALER_MOVES };
extern const double lesson_targets[TARGETS];
extern const int64_t lesson_memories[2];

typedef struct lesson {
    scaler w;
    double nominal;              /* service time the agent takes for the application's */
    int direct, shield, careful; /* careful: only what is at least as safe as the rule */
    size_t rule;                 /* the rule's target */
    int64_t half, fixed_start;   /* fixed_start >= 0: where every episode begins */
    scaler_tally all;
    double shielded; /* steps in which some settings were closed */
} lesson;

lesson make_lesson(const double *trace, int64_t from, int64_t half, uint64_t seed, uint64_t stream);
void lesson_look(const lesson *l, double *obs); /* 4 values */
void lesson_mask(void *user, uint64_t lane, uint8_t *ok);
int64_t lesson_want(lesson *l, int64_t action);
/* The rule alone over `steps` steps from `start`. */
scaler_tally rule_over(lesson l, size_t target, int64_t memory, int64_t start, int64_t steps);
/* The fixed target that earns most on the half that begins at `from`: on the training half that is rule*. */
size_t best_rule(const double *trace, int64_t from, int64_t half, double *reward);
/* Supervises; moves replicas; supervises and goes on from other weights: steady step size, little exploration. */
enum { LESSON_SUPERVISE = 0, LESSON_DIRECT, LESSON_ON };
ctw_agent *lesson_agent(agent_job *j, int64_t seed, int kind);
void lesson_run(agent_job *j, ctw_agent *a, lesson *l, int64_t episodes, int64_t steps, int learn);

#endif
