// SPDX-License-Identifier: Apache-2.0
// Search trees that libdw.a and libelf.a of elfutils 0.192 (Debian 13) call and do not contain: they belong to a library
// of elfutils' own that is not installed. A tree is a pointer to its root, and a lock that only these functions know; one
// for all trees takes its place. Weak: archives that have them come first.
#define _GNU_SOURCE
#include <pthread.h>
#include <search.h>
#include <stddef.h>

typedef int (*compare_fn)(const void *, const void *);
struct tree {
	void *root;
};

#define PROVIDED __attribute__((weak))

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

PROVIDED void *eu_tsearch(const void *key, struct tree *tree, compare_fn compare);
PROVIDED void *eu_tfind(const void *key, struct tree *tree, compare_fn compare);
PROVIDED void *eu_tdelete(const void *key, struct tree *tree, compare_fn compare);
PROVIDED void eu_tdestroy(struct tree *tree, void (*release)(void *));
PROVIDED void eu_search_tree_init(struct tree *tree);
PROVIDED void eu_search_tree_fini(struct tree *tree, void (*release)(void *));

void *eu_tsearch(const void *key, struct tree *tree, compare_fn compare)
{
	pthread_rwlock_wrlock(&lock);
	void *node = tsearch(key, &tree->root, compare);
	pthread_rwlock_unlock(&lock);
	return node;
}

void *eu_tfind(const void *key, struct tree *tree, compare_fn compare)
{
	pthread_rwlock_rdlock(&lock);
	void *node = tfind(key, &tree->root, compare);
	pthread_rwlock_unlock(&lock);
	return node;
}

void *eu_tdelete(const void *key, struct tree *tree, compare_fn compare)
{
	pthread_rwlock_wrlock(&lock);
	void *parent = tdelete(key, &tree->root, compare);
	pthread_rwlock_unlock(&lock);
	return parent;
}

void eu_tdestroy(struct tree *tree, void (*release)(void *))
{
	// outside of the lock: what is released may have trees of its own
	pthread_rwlock_wrlock(&lock);
	void *root = tree->root;
	tree->root = NULL;
	pthread_rwlock_unlock(&lock);
	tdestroy(root, release);
}

void eu_search_tree_init(struct tree *tree)
{
	tree->root = NULL;
}

void eu_search_tree_fini(struct tree *tree, void (*release)(void *))
{
	eu_tdestroy(tree, release);
}
